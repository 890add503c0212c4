// A load of requests from clients in one thread on plain libzmq, so cheap that the broker is what is measured. Each client keeps
// its window of requests open. First comes the cold part, the first requests that the broker ever gets; then the warm one.
// Each answer must come once, to the client that asked, with the body that was sent. The result is one line of JSON.
#include "peer.h"

typedef struct {
  uint64_t ns;  // when it was sent; once it is answered, how long that took
  uint32_t client;
  bool is_answered;
} request_t;

typedef struct {
  uint64_t from, until;  // of the answers, by number
  uint64_t start_ns, end_ns, cpu_start_ns, cpu_end_ns;
} part_t;

enum { ID_DIGITS = 16, FRAMES = 4 };

static const char *endpoint, *service = "echo";
static unsigned clients = 1, window = 1;
static size_t body_bytes = 100;
static uint64_t cold_requests = 40000;
static double seconds = 1;
static int answer_limit_ms = 5000;
static clockid_t broker_clock;
static bool is_broker_watched;

static void **sockets;
static char *body;
static request_t *requests;
static uint64_t *latencies;  // in the order of the answers
static uint64_t room, sent, answered, repeated, foreign, wrong;
static part_t cold, warm;

static uint64_t broker_cpu_ns(void) { return is_broker_watched ? clock_ns(broker_clock) : 0; }

static void begin(part_t *part, uint64_t now) {
  *part = (part_t){.from = answered, .until = answered, .start_ns = now, .cpu_start_ns = broker_cpu_ns()};
}

static bool is_over(const part_t *part, uint64_t now) { return now >= part->start_ns + (uint64_t)(seconds * 1e9); }

static void finish(part_t *part, uint64_t now) {
  part->until = answered;
  part->end_ns = now;
  part->cpu_end_ns = broker_cpu_ns();
}

static void send_request(uint32_t client) {
  if (sent == room) {
    room = room == 0 ? 1 << 20 : 2 * room;
    requests = realloc(requests, room * sizeof *requests);
    latencies = realloc(latencies, room * sizeof *latencies);
    if (requests == NULL || latencies == NULL) fail("memory");
  }
  for (unsigned at = 0; at < ID_DIGITS; at++) body[at] = "0123456789abcdef"[sent >> 4 * (ID_DIGITS - 1 - at) & 15];
  void *socket = sockets[client];
  requests[sent++] = (request_t){.ns = now_ns(), .client = client};
  send_bytes(socket, "", 0, true);
  send_bytes(socket, client_header, HEADER_BYTES, true);
  send_bytes(socket, service, strlen(service), true);
  send_bytes(socket, body, body_bytes, false);
}

// The number of the request that a message answers, or UINT64_MAX if it is not what was sent.
static uint64_t answered_request(zmq_msg_t *frames, size_t count) {
  if (count != FRAMES || zmq_msg_size(&frames[0]) != 0 || !is_text(&frames[1], client_header, HEADER_BYTES) || !is_text(&frames[2], service, strlen(service))) return UINT64_MAX;
  const char *data = zmq_msg_data(&frames[3]);
  if (zmq_msg_size(&frames[3]) != body_bytes || memcmp(data + ID_DIGITS, body + ID_DIGITS, body_bytes - ID_DIGITS) != 0) return UINT64_MAX;
  uint64_t number = 0;
  for (size_t at = 0; at < ID_DIGITS; at++) {
    const char *digit = memchr("0123456789abcdef", data[at], 16);
    if (digit == NULL) return UINT64_MAX;
    number = number << 4 | (uint64_t)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
  }
  return number < sent ? number : UINT64_MAX;
}

// What cannot be read is told once, as text: it may be an error of the broker.
static void tell_wrong(zmq_msg_t *frames, size_t count) {
  if (wrong++ > 0) return;
  fprintf(stderr, "load: this answers nothing that was sent:");
  for (size_t index = 0; index < count && index < FRAMES; index++) fprintf(stderr, " [%.*s]", (int)(zmq_msg_size(&frames[index]) < 200 ? zmq_msg_size(&frames[index]) : 200), (char *)zmq_msg_data(&frames[index]));
  fprintf(stderr, "\n");
}

// Takes one answer of a client and sends its next request; false if there is none.
static bool take_answer(uint32_t client) {
  zmq_msg_t frames[FRAMES];
  const size_t count = receive(sockets[client], frames, FRAMES);
  if (count == 0) return false;
  const uint64_t number = answered_request(frames, count), now = now_ns();
  if (number == UINT64_MAX) tell_wrong(frames, count);
  else if (requests[number].client != client) foreign++;
  else if (requests[number].is_answered) repeated++;
  else {
    requests[number].is_answered = true;
    requests[number].ns = latencies[answered] = now - requests[number].ns;
    answered++;
    if (cold.end_ns == 0 && (answered == cold_requests || is_over(&cold, now))) {
      finish(&cold, now);
      begin(&warm, now);
    } else if (warm.start_ns != 0 && warm.end_ns == 0 && is_over(&warm, now)) finish(&warm, now);
    if (warm.end_ns == 0) send_request(client);
  }
  release(frames, count < FRAMES ? count : FRAMES);
  return true;
}

// Until all that was sent is answered, or nothing comes any more.
static void run(void) {
  zmq_pollitem_t *items = allocate(clients, sizeof *items);
  for (uint32_t client = 0; client < clients; client++) items[client] = (zmq_pollitem_t){.socket = sockets[client], .events = ZMQ_POLLIN};
  begin(&cold, now_ns());
  for (unsigned each = 0; each < window; each++)
    for (uint32_t client = 0; client < clients; client++) send_request(client);
  while (answered < sent) {
    const int ready = zmq_poll(items, (int)clients, answer_limit_ms);
    if (ready < 0 && errno != EINTR) fail("poll");
    if (ready == 0) break;
    for (uint32_t client = 0; client < clients; client++)
      if (items[client].revents & ZMQ_POLLIN)
        // Not for ever, or one client starves the others.
        for (unsigned taken = 0; taken < 256 && take_answer(client); taken++);
  }
  free(items);
}

static int by_size(const void *one, const void *other) {
  const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

static void print_part(const char *name, const part_t *part) {
  const uint64_t count = part->until - part->from;
  uint64_t *first = latencies + part->from;
  qsort(first, count, sizeof *first, by_size);
  printf("\"%s\":{\"requests\":%" PRIu64 ",\"seconds\":%.6f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"brokerUs\":%.1f}", name, count, (double)(part->end_ns - part->start_ns) / 1e9,
         count > 0 ? (double)first[count / 2] / 1e3 : 0, count > 0 ? (double)first[count * 99 / 100] / 1e3 : 0, (double)(part->cpu_end_ns - part->cpu_start_ns) / 1e3);
}

int main(int argc, char **argv) {
  static const struct option options[] = {
    {"endpoint", required_argument, NULL, 'e'}, {"service", required_argument, NULL, 's'}, {"clients", required_argument, NULL, 'c'},
    {"window", required_argument, NULL, 'w'}, {"body-bytes", required_argument, NULL, 'b'}, {"cold-requests", required_argument, NULL, 'n'},
    {"seconds", required_argument, NULL, 't'}, {"broker", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (option) {
    case 'e': endpoint = optarg; break;
    case 's': service = optarg; break;
    case 'c': clients = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'w': window = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'b': body_bytes = strtoul(optarg, NULL, 10); break;
    case 'n': cold_requests = strtoull(optarg, NULL, 10); break;
    case 't': seconds = strtod(optarg, NULL); break;
    case 'p': // The processor time of all threads of the broker.
      if (clock_getcpuclockid((pid_t)strtol(optarg, NULL, 10), &broker_clock) != 0) fail("the processor time of the broker");
      is_broker_watched = true;
      break;
    default: return 1;
  }
  if (endpoint == NULL || clients == 0 || window == 0 || body_bytes < ID_DIGITS || cold_requests == 0 || seconds <= 0) {
    fprintf(stderr, "load: --endpoint is needed, numbers are above 0, a body has at least %d bytes\n", ID_DIGITS);
    return 1;
  }
  body = allocate(body_bytes + 1, 1);
  for (size_t at = 0; at < body_bytes; at++) body[at] = (char)('a' + at % 23);
  sockets = connected_dealers(zmq_ctx_new(), endpoint, clients);
  run();
  if (cold.end_ns == 0) finish(&cold, now_ns());
  if (warm.start_ns == 0) begin(&warm, now_ns());
  if (warm.end_ns == 0) finish(&warm, now_ns());
  printf("{\"sent\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"foreign\":%" PRIu64 ",\"wrong\":%" PRIu64 ",", sent, sent - answered, repeated, foreign, wrong);
  print_part("cold", &cold);
  printf(",");
  print_part("warm", &warm);
  printf("}\n");
  fflush(stdout);
  // The sockets hold nothing that is of use any more.
  _exit(0);
}
