// Workers that answer each request with its own body, on plain libzmq in one thread. With --raw they know no protocol and send
// every message back as it is, which is what stands behind a plain proxy.
#include "peer.h"

enum { FRAMES = 64, WORKER_FRAMES = 3 };

static const char *service = "echo";

// Answers one message; false if there is none.
static bool answer(void *socket, bool is_raw) {
  zmq_msg_t frames[FRAMES];
  const size_t count = receive(socket, frames, FRAMES);
  if (count == 0) return false;
  if (count > FRAMES) {
    fprintf(stderr, "echo: a message of %zu frames\n", count);
    exit(1);
  }
  size_t kept = 0;
  if (!is_raw) {
    const bool is_mdp = count >= WORKER_FRAMES && zmq_msg_size(&frames[0]) == 0 && is_text(&frames[1], worker_header, HEADER_BYTES) && zmq_msg_size(&frames[2]) == 1;
    const char command = is_mdp ? *(char *)zmq_msg_data(&frames[2]) : 0;
    if (command != REQUEST && command != HEARTBEAT) {
      fprintf(stderr, "echo: the broker sent %s\n", command == DISCONNECT ? "DISCONNECT" : "what no worker expects");
      exit(1);
    }
    kept = command == REQUEST ? WORKER_FRAMES : count;
    if (command == REQUEST) send_command(socket, REPLY, true);
    release(frames, kept);
  }
  for (size_t index = kept; index < count; index++)
    if (zmq_msg_send(&frames[index], socket, index + 1 < count ? ZMQ_SNDMORE : 0) < 0) fail("send");
  return true;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
    {"endpoint", required_argument, NULL, 'e'}, {"service", required_argument, NULL, 's'}, {"workers", required_argument, NULL, 'w'},
    {"capacity", required_argument, NULL, 'c'}, {"raw", no_argument, NULL, 'r'}, {NULL, 0, NULL, 0},
  };
  const char *endpoint = NULL;
  unsigned workers = 1, capacity = 0;
  bool is_raw = false;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (option) {
    case 'e': endpoint = optarg; break;
    case 's': service = optarg; break;
    case 'w': workers = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'c': capacity = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'r': is_raw = true; break;
    default: return 1;
  }
  if (endpoint == NULL || workers == 0) {
    fprintf(stderr, "echo: --endpoint is needed, and --workers above 0\n");
    return 1;
  }
  void **sockets = connected_dealers(zmq_ctx_new(), endpoint, workers);
  zmq_pollitem_t *items = allocate(workers, sizeof *items);
  for (unsigned worker = 0; worker < workers; worker++) {
    items[worker] = (zmq_pollitem_t){.socket = sockets[worker], .events = ZMQ_POLLIN};
    if (!is_raw) send_ready(sockets[worker], service, capacity);
  }
  say_ready();
  for (uint64_t beat_ns = now_ns();;) {
    if (zmq_poll(items, (int)workers, HEARTBEAT_MS / 2) < 0 && errno != EINTR) fail("poll");
    for (unsigned worker = 0; worker < workers; worker++)
      if (items[worker].revents & ZMQ_POLLIN)
        for (unsigned taken = 0; taken < 256 && answer(sockets[worker], is_raw); taken++);
    if (is_raw || now_ns() - beat_ns < HEARTBEAT_MS * 1000000ull) continue;
    beat_ns = now_ns();
    for (unsigned worker = 0; worker < workers; worker++) send_command(sockets[worker], HEARTBEAT, false);
  }
}
