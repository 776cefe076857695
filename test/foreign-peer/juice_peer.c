/*
 * A libjuice agent as a peer: description by the rendezvous, one datagram each way, then the result.
 *
 * libjuice is controlled when it knows the other's description before it gathers, and controlling otherwise.
 */

#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <juice/juice.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { GATHER_MS = 10000, CONNECT_MS = 20000, DATA_MS = 5000, LINGER_MS = 1000, RETRY_MS = 50 };

static atomic_bool gathered, data_arrived;
static char received[64];

static void fail(const char *what) {
  fprintf(stderr, "juice_peer: %s\n", what);
  exit(1);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void sleep_ms(long ms) {
  struct timespec span = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&span, NULL);
}

static const char *setting(const char *name) {
  const char *value = getenv(name);
  if (value == NULL) fail(name);
  return value;
}

/* Splits "address:port"; the address goes to `host`. */
static uint16_t endpoint(const char *name, char host[INET_ADDRSTRLEN]) {
  unsigned port;
  if (sscanf(setting(name), "%15[^:]:%u", host, &port) != 2) fail(name);
  return port;
}

static void on_gathered(juice_agent_t *agent, void *user) {
  (void)agent, (void)user;
  gathered = true;
}

static void on_data(juice_agent_t *agent, const char *data, size_t size, void *user) {
  (void)agent, (void)user;
  if (data_arrived || size >= sizeof received) return;
  memcpy(received, data, size);
  data_arrived = true;
}

/* The rendezvous may not listen yet when this starts. */
static FILE *meet(void) {
  char host[INET_ADDRSTRLEN];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(endpoint("RENDEZVOUS", host))};
  inet_pton(AF_INET, host, &address.sin_addr);
  for (;;) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fdopen(fd, "r+");
    close(fd);
    sleep_ms(RETRY_MS);
  }
}

/* A description goes as one line, without the line feeds inside of it. */
static void describe(juice_agent_t *agent, FILE *rendezvous) {
  char sdp[JUICE_MAX_SDP_STRING_LEN];
  if (juice_get_local_description(agent, sdp, sizeof sdp) < 0) fail("no local description");
  for (const char *c = sdp; *c != '\0'; c++)
    if (*c != '\n') putc(*c, rendezvous);
  putc('\n', rendezvous);
  fflush(rendezvous);
}

static void hear(juice_agent_t *agent, FILE *rendezvous) {
  char line[JUICE_MAX_SDP_STRING_LEN], sdp[2 * JUICE_MAX_SDP_STRING_LEN];
  if (fgets(line, sizeof line, rendezvous) == NULL) fail("the rendezvous says nothing");
  char *end = sdp;
  for (const char *c = line; *c != '\0' && *c != '\n'; c++) {
    *end++ = *c;
    if (*c == '\r') *end++ = '\n';
  }
  *end = '\0';
  if (juice_set_remote_description(agent, sdp) < 0) fail("the other's description is not understood");
}

static void gather(juice_agent_t *agent) {
  if (juice_gather_candidates(agent) < 0) fail("cannot gather");
  for (double start = now_ms(); !gathered; sleep_ms(1))
    if (now_ms() - start > GATHER_MS) fail("gathering does not end");
}

int main(void) {
  char stun_host[INET_ADDRSTRLEN];
  juice_config_t config = {.cb_gathering_done = on_gathered, .cb_recv = on_data};
  config.stun_server_port = endpoint("STUN_SERVER", stun_host);
  config.stun_server_host = stun_host;
  bool controlling = strcmp(setting("PEER_ROLE"), "controlling") == 0;

  juice_set_log_level(JUICE_LOG_LEVEL_ERROR);
  juice_agent_t *agent = juice_create(&config);
  if (agent == NULL) fail("no agent");
  FILE *rendezvous = meet();
  if (controlling) gather(agent);
  else hear(agent, rendezvous);
  double start = now_ms();
  if (!controlling) gather(agent);
  describe(agent, rendezvous);
  if (controlling) hear(agent, rendezvous);

  for (; juice_get_state(agent) != JUICE_STATE_COMPLETED; sleep_ms(1))
    if (now_ms() - start > CONNECT_MS) fail("no pair is nominated");
  double connect_ms = now_ms() - start;

  static const char data[] = "data from libjuice";
  juice_send(agent, data, sizeof data - 1);
  for (start = now_ms(); !data_arrived; sleep_ms(1))
    if (now_ms() - start > DATA_MS) fail("no data");

  char local[JUICE_MAX_ADDRESS_STRING_LEN], remote[JUICE_MAX_ADDRESS_STRING_LEN];
  juice_get_selected_addresses(agent, local, sizeof local, remote, sizeof remote);
  char *port = strrchr(remote, ':');
  *port++ = '\0';
  printf("{\"remote\": [\"%s\", %s], \"received\": \"%s\", \"controlling\": %s, \"connectMs\": %.1f}\n", remote, port,
         received, controlling ? "true" : "false", connect_ms);
  fflush(stdout);
  /* The peer may still wait for this end's answers. */
  sleep_ms(LINGER_MS);
  juice_destroy(agent);
  return 0;
}
