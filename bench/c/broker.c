// A broker as small as RFC 7 allows, on plain libzmq in one thread: what the protocol costs when little else is done. It has one
// service, that of the first READY; it forgets no worker, judges no silence and knows no deadline. Capacity as in rule R14.
#include "peer.h"

enum { FRAMES = 8, CLIENT_HEAD = 4, WORKER_HEAD = 6, PLACES = 1 << 16, ID_BYTES = 5 };

typedef struct { zmq_msg_t frames[FRAMES]; size_t count; } message_t;

static void *router;
static zmq_msg_t service;
// Of each worker its routing id, where the last two bytes of that say: libzmq gives the numbers one by one.
static char ids[PLACES][ID_BYTES];
static bool is_worker[PLACES];
// Requests that wait, and a place for each request that a worker may be given now: the first in are the first out.
static message_t waiting[PLACES];
static uint16_t idle[PLACES];
static uint32_t waiting_from, waiting_to, idle_from, idle_to;

static uint16_t place_of(zmq_msg_t *id) {
  const unsigned char *bytes = zmq_msg_data(id);
  return (uint16_t)(bytes[ID_BYTES - 2] << 8 | bytes[ID_BYTES - 1]);
}

static void send_text(const char *text, size_t bytes) { send_bytes(router, text, bytes, true); }

static void send_frames(zmq_msg_t *frames, size_t count) {
  for (size_t index = 0; index < count; index++)
    if (zmq_msg_send(&frames[index], router, index + 1 < count ? ZMQ_SNDMORE : 0) < 0) fail("send");
}

static void send_to_worker(uint16_t place, char command, bool more) {
  send_text(ids[place], ID_BYTES);
  send_command(router, command, more);
}

static void hand_over(uint16_t place, message_t *request) {
  send_to_worker(place, REQUEST, true);
  if (zmq_msg_send(&request->frames[0], router, ZMQ_SNDMORE) < 0) fail("send");
  send_text("", 0);
  send_frames(request->frames + CLIENT_HEAD, request->count - CLIENT_HEAD);
  release(request->frames + 1, CLIENT_HEAD - 1);
}

static void keep(message_t *request) {
  if (waiting_to - waiting_from == PLACES) fail("more requests wait than this broker holds");
  message_t *kept = &waiting[waiting_to++ % PLACES];
  kept->count = request->count;
  for (size_t index = 0; index < kept->count; index++) {
    zmq_msg_init(&kept->frames[index]);
    zmq_msg_move(&kept->frames[index], &request->frames[index]);
  }
}

static void take_request(message_t *request) {
  if (idle_from != idle_to) hand_over(idle[idle_from++ % PLACES], request);
  else keep(request);
}

static void free_place(uint16_t place) {
  if (waiting_from != waiting_to) hand_over(place, &waiting[waiting_from++ % PLACES]);
  else if (idle_to - idle_from < PLACES) idle[idle_to++ % PLACES] = place;
  else fail("more capacity than this broker holds");
}

static void take_reply(uint16_t place, message_t *reply) {
  zmq_msg_t name;
  zmq_msg_init(&name);
  zmq_msg_copy(&name, &service);
  if (zmq_msg_send(&reply->frames[4], router, ZMQ_SNDMORE) < 0) fail("send");
  send_text("", 0);
  send_text(client_header, HEADER_BYTES);
  if (zmq_msg_send(&name, router, ZMQ_SNDMORE) < 0) fail("send");
  send_frames(reply->frames + WORKER_HEAD, reply->count - WORKER_HEAD);
  release(reply->frames, 4);
  release(&reply->frames[5], 1);
  free_place(place);
}

static void take_ready(uint16_t place, message_t *ready) {
  char digits[12] = "1";
  if (ready->count > 5) memcpy(digits, zmq_msg_data(&ready->frames[5]), zmq_msg_size(&ready->frames[5]) < sizeof digits ? zmq_msg_size(&ready->frames[5]) : sizeof digits - 1);
  memcpy(ids[place], zmq_msg_data(&ready->frames[0]), ID_BYTES);
  is_worker[place] = true;
  zmq_msg_copy(&service, &ready->frames[4]);
  release(ready->frames, ready->count);
  for (unsigned long slot = strtoul(digits, NULL, 10); slot > 0; slot--) free_place(place);
}

// False if there is no message.
static bool take(void) {
  message_t message;
  message.count = receive(router, message.frames, FRAMES);
  if (message.count == 0) return false;
  zmq_msg_t *frames = message.frames;
  const bool is_sound = message.count > 3 && message.count <= FRAMES && zmq_msg_size(&frames[0]) == ID_BYTES;
  const uint16_t place = is_sound ? place_of(&frames[0]) : 0;
  const char command = is_sound && is_text(&frames[2], worker_header, HEADER_BYTES) && zmq_msg_size(&frames[3]) == 1 ? *(char *)zmq_msg_data(&frames[3]) : 0;
  if (is_sound && message.count > CLIENT_HEAD && is_text(&frames[2], client_header, HEADER_BYTES)) take_request(&message);
  else if (command == REPLY && is_worker[place] && message.count > WORKER_HEAD) take_reply(place, &message);
  else if (command == READY && message.count > 4) take_ready(place, &message);
  else release(frames, message.count < FRAMES ? message.count : FRAMES);
  return true;
}

int main(void) {
  char endpoint[64];
  size_t bytes = sizeof endpoint;
  router = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
  if (router == NULL) fail("a socket");
  unbounded(router);
  zmq_msg_init(&service);
  if (zmq_bind(router, "tcp://127.0.0.1:*") != 0 || zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &bytes) != 0) fail("bind");
  if (dprintf(READINESS_FD, "{\"state\":\"ready\",\"facts\":{\"endpoint\":\"%s\"}}\n", endpoint) < 0) fail("descriptor 3, on which readiness is told");
  zmq_pollitem_t item = {.socket = router, .events = ZMQ_POLLIN};
  for (uint64_t beat_ns = now_ns();;) {
    if (zmq_poll(&item, 1, HEARTBEAT_MS / 2) < 0 && errno != EINTR) fail("poll");
    for (unsigned taken = 0; taken < 1000 && take(); taken++);
    if (now_ns() - beat_ns < HEARTBEAT_MS * 1000000ull) continue;
    beat_ns = now_ns();
    for (unsigned place = 0; place < PLACES; place++)
      if (is_worker[place]) send_to_worker((uint16_t)place, HEARTBEAT, false);
  }
}
