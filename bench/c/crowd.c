// Many clients that do nothing once they were answered, or many services with one worker each that nobody asks, in one process. It
// is ready when each client has had its answer, or each worker has said READY.
#include "peer.h"
#include <sys/resource.h>

enum { FRAMES = 8, LOOK_MS = 100, ANSWER_LIMIT_S = 60, FILES_EACH = 2, SPARE_FILES = 32 };

static void sleep_ms(long ms) {
  const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static bool take(void *socket) {
  zmq_msg_t frames[FRAMES];
  const size_t count = receive(socket, frames, FRAMES);
  release(frames, count < FRAMES ? count : FRAMES);
  return count > 0;
}

// Each socket is two open files.
static void allow_files(rlim_t files) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("the limit of open files");
  if (limit.rlim_max < files) {
    fprintf(stderr, "crowd: %llu open files are needed, and the system allows %llu; raise it (ulimit -Hn)\n", (unsigned long long)files, (unsigned long long)limit.rlim_max);
    exit(1);
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("the limit of open files");
}

// ZMTP heartbeats as our own peers send them (rule R10); libzmq sends none by itself.
static void beat(void *socket) {
  const int interval_ms = HEARTBEAT_MS, limit_ms = 5 * HEARTBEAT_MS;
  zmq_setsockopt(socket, ZMQ_HEARTBEAT_IVL, &interval_ms, sizeof interval_ms);
  zmq_setsockopt(socket, ZMQ_HEARTBEAT_TIMEOUT, &limit_ms, sizeof limit_ms);
  zmq_setsockopt(socket, ZMQ_HEARTBEAT_TTL, &limit_ms, sizeof limit_ms);
}

static void await_answers(void **sockets, size_t count) {
  bool *is_answered = allocate(count, sizeof *is_answered);
  size_t open = count;
  for (const uint64_t end_ns = now_ns() + ANSWER_LIMIT_S * 1000000000ull; open > 0; sleep_ms(10)) {
    for (size_t index = 0; index < count; index++)
      if (!is_answered[index] && take(sockets[index])) is_answered[index] = true, open--;
    if (open > 0 && now_ns() > end_ns) {
      fprintf(stderr, "crowd: %zu of %zu clients had no answer within %d s\n", open, count, ANSWER_LIMIT_S);
      exit(1);
    }
  }
  free(is_answered);
}

int main(int argc, char **argv) {
  static const struct option options[] = {
    {"endpoint", required_argument, NULL, 'e'}, {"clients", required_argument, NULL, 'c'}, {"services", required_argument, NULL, 's'},
    {"number", required_argument, NULL, 'n'}, {"heartbeats", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
  };
  const char *endpoint = NULL, *number = "0";
  size_t clients = 0, services = 0;
  bool beats = false;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (option) {
    case 'e': endpoint = optarg; break;
    case 'c': clients = strtoul(optarg, NULL, 10); break;
    case 's': services = strtoul(optarg, NULL, 10); break;
    case 'n': number = optarg; break;  // of this process among several
    case 'h': beats = true; break;
    default: return 1;
  }
  const size_t count = clients + services;
  if (endpoint == NULL || count == 0) {
    fprintf(stderr, "crowd: --endpoint is needed, and --clients or --services above 0\n");
    return 1;
  }
  allow_files(FILES_EACH * count + SPARE_FILES);
  void *context = zmq_ctx_new(), **sockets = allocate(count, sizeof *sockets);
  zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)count + 8);
  for (size_t index = 0; index < count; index++) {
    sockets[index] = new_dealer(context);
    if (beats) beat(sockets[index]);
    if (zmq_connect(sockets[index], endpoint) != 0) fail(endpoint);
    if (index >= clients) {
      char name[64];
      snprintf(name, sizeof name, "idle-%s-%zu", number, index - clients);
      send_ready(sockets[index], name, 0);
      continue;
    }
    send_bytes(sockets[index], "", 0, true);
    send_bytes(sockets[index], client_header, HEADER_BYTES, true);
    send_bytes(sockets[index], "mmi.service", strlen("mmi.service"), true);
    send_bytes(sockets[index], "echo", strlen("echo"), false);
  }
  await_answers(sockets, clients);
  say_ready();
  // The heartbeats of the workers are spread over the second, as those of programs that have nothing to do with each other.
  for (size_t turn = 0;; turn++, sleep_ms(LOOK_MS))
    for (size_t index = clients; index < count; index++) {
      while (take(sockets[index]));
      if (index % (HEARTBEAT_MS / LOOK_MS) == turn % (HEARTBEAT_MS / LOOK_MS)) send_command(sockets[index], HEARTBEAT, false);
    }
}
