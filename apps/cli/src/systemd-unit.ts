// The unit that makes systemd keep a house running: for the whole system, as a user of its own and shut in, or for one
// user, as themselves. Pure. See systemd.service(5), systemd.exec(5).

export interface UnitOptions {
  /** For one user's own service manager, which can neither change the user nor shut anything in everywhere. */
  readonly user: boolean;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Where the house keeps its files; without it where systemd keeps those of a service. */
  readonly home: string | undefined;
}

/** The user that the service of the whole system runs as. */
export const serviceUser = 'majordomus';

export function systemdUnit({ user, command, home }: UnitOptions): string {
  return `# Majordomus as a service, printed by "domus systemd"; print it again when Node or Majordomus moves.
[Unit]
Description=Majordomus, a house of small programs
${user ? '' : `Wants=network-online.target
After=network-online.target
`}# Whatever keeps it from starting may pass: it is tried for ever.
StartLimitIntervalSec=0

[Service]
# It is started when every part is ready, and says so by a program of its own.
Type=notify
NotifyAccess=all
ExecStart=${command.map(quoted).join(' ')}
TimeoutStartSec=2min
Restart=always
RestartSec=5
# A stop is asked of the house, which stops its parts in order within 5 s; what is left after the bound is killed.
KillMode=mixed
TimeoutStopSec=15
${user ? userPart() : systemPart(home)}
[Install]
WantedBy=${user ? 'default' : 'multi-user'}.target
`;
}

function userPart(): string {
  return `NoNewPrivileges=yes
UMask=0077
`;
}

function systemPart(home: string | undefined): string {
  const files = home === undefined
    ? `StateDirectory=majordomus
StateDirectoryMode=0700
Environment=DOMUS_HOME=%S/majordomus
`
    : `ReadWritePaths=${quoted(home)}
`;
  return `
User=${serviceUser}
${files}UMask=0077

# What plugins never need. A plugin that does needs a drop-in: systemctl edit majordomus
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
# Readable, so that the sizes of disks are seen as they are; what is in the homes is guarded by its owners.
ProtectHome=read-only
PrivateTmp=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# Devices stay, for plugins that speak by a serial line; those belong to this group:
#SupplementaryGroups=dialout
`;
}

/** A word as systemd reads it: its own signs doubled or escaped. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@+=,%$-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
