// What libzmq itself does between clients and workers, without any protocol: the measure for every broker.
#include "peer.h"

static void *bound(void *context, int type, char *endpoint, size_t bytes) {
  void *socket = zmq_socket(context, type);
  if (socket == NULL) fail("a socket");
  unbounded(socket);
  if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &bytes) != 0) fail("bind");
  return socket;
}

int main(void) {
  char clients[64], workers[64];
  void *context = zmq_ctx_new();
  void *front = bound(context, ZMQ_ROUTER, clients, sizeof clients), *back = bound(context, ZMQ_DEALER, workers, sizeof workers);
  if (dprintf(READINESS_FD, "{\"state\":\"ready\",\"facts\":{\"clients\":\"%s\",\"workers\":\"%s\"}}\n", clients, workers) < 0) fail("descriptor 3, on which readiness is told");
  return zmq_proxy(front, back, NULL);
}
