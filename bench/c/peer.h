// What the peers in C have in common: DEALER sockets that are connected when they are used, the clock, and the words to whoever
// started them, JSON lines on descriptor 3 as every process of the house writes them (docs/architecture.md, "Supervision").
// Frames are those of docs/protocol.md. A fault of the set-up ends the program with a line on standard error.
#ifndef PEER_H
#define PEER_H
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { READY = 1, REQUEST = 2, REPLY = 3, HEARTBEAT = 4, DISCONNECT = 5 };
enum { HEARTBEAT_MS = 1000, READINESS_FD = 3 };

static const char client_header[] = "MDPC01", worker_header[] = "MDPW01";
enum { HEADER_BYTES = 6 };

static inline _Noreturn void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(errno));
  exit(1);
}

static inline void *allocate(size_t count, size_t bytes) {
  void *memory = calloc(count > 0 ? count : 1, bytes);
  if (memory == NULL) fail("memory");
  return memory;
}

static inline uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) fail("clock");
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static inline void say_ready(void) {
  if (dprintf(READINESS_FD, "{\"state\":\"ready\"}\n") < 0) fail("descriptor 3, on which readiness is told");
}

// Nothing that is measured shall be held up or dropped by a bound of the peers themselves.
static inline void unbounded(void *socket) {
  const int none = 0;
  zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
  zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
}

static inline void *new_dealer(void *context) {
  void *socket = zmq_socket(context, ZMQ_DEALER);
  if (socket == NULL) fail("a socket");
  unbounded(socket);
  return socket;
}

// So many DEALER sockets, each with a complete connection: nothing that is measured waits for one.
static inline void **connected_dealers(void *context, const char *endpoint, size_t count) {
  void **sockets = allocate(count, sizeof *sockets), **monitors = allocate(count, sizeof *monitors);
  zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)(3 * count + 8));
  for (size_t index = 0; index < count; index++) {
    char name[48];
    snprintf(name, sizeof name, "inproc://connection-%zu", index);
    sockets[index] = new_dealer(context);
    if (zmq_socket_monitor(sockets[index], name, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) != 0) fail("the monitor of a connection");
    monitors[index] = zmq_socket(context, ZMQ_PAIR);
    if (monitors[index] == NULL || zmq_connect(monitors[index], name) != 0) fail("the monitor of a connection");
    if (zmq_connect(sockets[index], endpoint) != 0) fail(endpoint);
  }
  for (size_t index = 0; index < count; index++) {
    char event[64];
    const int limit_ms = 10000;
    zmq_setsockopt(monitors[index], ZMQ_RCVTIMEO, &limit_ms, sizeof limit_ms);
    if (zmq_recv(monitors[index], event, sizeof event, 0) < 0 || zmq_recv(monitors[index], event, sizeof event, 0) < 0) fail("no connection within 10 s");
    zmq_socket_monitor(sockets[index], NULL, 0);
    zmq_close(monitors[index]);
  }
  free(monitors);
  return sockets;
}

static inline void send_bytes(void *socket, const void *bytes, size_t count, bool more) {
  if (zmq_send(socket, bytes, count, more ? ZMQ_SNDMORE : 0) < 0) fail("send");
}

static inline void send_command(void *socket, char command, bool more) {
  send_bytes(socket, "", 0, true);
  send_bytes(socket, worker_header, HEADER_BYTES, true);
  send_bytes(socket, &command, 1, more);
}

// READY, with the capacity where there is one (rule R14).
static inline void send_ready(void *socket, const char *service, unsigned capacity) {
  char digits[12];
  send_command(socket, READY, true);
  send_bytes(socket, service, strlen(service), capacity > 0);
  if (capacity > 0) send_bytes(socket, digits, (size_t)snprintf(digits, sizeof digits, "%u", capacity), false);
}

static inline bool is_text(zmq_msg_t *frame, const char *text, size_t bytes) {
  return zmq_msg_size(frame) == bytes && memcmp(zmq_msg_data(frame), text, bytes) == 0;
}

// The next message, frame by frame; 0 if there is none. What is beyond `most` frames is dropped, but counted.
static inline size_t receive(void *socket, zmq_msg_t *frames, size_t most) {
  size_t count = 0;
  for (bool more = true; more; count++) {
    zmq_msg_t beyond, *frame = count < most ? &frames[count] : &beyond;
    zmq_msg_init(frame);
    if (zmq_msg_recv(frame, socket, count == 0 ? ZMQ_DONTWAIT : 0) < 0) {
      if (count == 0 && (errno == EAGAIN || errno == EINTR)) return 0;
      fail("receive");
    }
    more = zmq_msg_more(frame);
    if (frame == &beyond) zmq_msg_close(frame);
  }
  return count;
}

static inline void release(zmq_msg_t *frames, size_t count) {
  for (size_t index = 0; index < count; index++) zmq_msg_close(&frames[index]);
}
#endif
