/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SSH server that behaves up to a point and then does not: what no shell tool can play.
 *
 *   ssh_rude HOSTKEY USERKEY.pub MODE
 *
 * Listens on 127.0.0.1, prints its port, and serves one connection at a time, as MODE says:
 *
 *   deny            refuses every key                  partial         takes the key and wants a password too
 *   stall-auth      never answers the key              close-auth      hangs up on it
 *   deny-channel    opens no channel                   stall-channel   never answers
 *   close-channel   hangs up on the request            deny-subsystem, stall-subsystem, close-subsystem: likewise
 *   close           opens everything, and hangs up     stall           opens everything, and says nothing
 *   eof             ends the channel in order          stderr          says why on standard error, then ends
 *   flood           floods the channel                 flood-stderr    floods standard error, past every window
 *   shell           accepts the subsystem and talks like a login shell
 *
 * Any other way to authenticate than by key that the client asks for is written to stdout: there must be none.
 */
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The callbacks that replace these messages are of no use to a server that wants to stop in the middle. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static const char *mode;
static ssh_key user_key;

static bool is(const char *name) { return strcmp(mode, name) == 0; }

static void stall(void) { sleep(60); }

static bool authenticate(ssh_session session) {
  ssh_message message;
  while ((message = ssh_message_get(session)) != NULL) {
    bool done = false, gone = false;
    if (ssh_message_type(message) == SSH_REQUEST_AUTH && ssh_message_subtype(message) == SSH_AUTH_METHOD_PUBLICKEY) {
      bool good = ssh_key_cmp(ssh_message_auth_pubkey(message), user_key, SSH_KEY_CMP_PUBLIC) == 0 &&
                  strcmp(ssh_message_auth_user(message), "rpki") == 0 && !is("deny");
      int state = (int)ssh_message_auth_publickey_state(message);
      if (is("stall-auth"))
        stall();
      else if (is("close-auth"))
        gone = true;
      else if (!good)
        ssh_message_reply_default(message);
      else if (state == SSH_PUBLICKEY_STATE_NONE)
        ssh_message_auth_reply_pk_ok_simple(message);
      else if (state == SSH_PUBLICKEY_STATE_VALID) {
        if (is("partial"))
          ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PASSWORD);
        ssh_message_auth_reply_success(message, is("partial"));
        done = !is("partial");
      } else {
        ssh_message_reply_default(message);
      }
    } else if (ssh_message_type(message) == SSH_REQUEST_AUTH) {
      printf("asked for method %d\n", ssh_message_subtype(message));
      fflush(stdout);
      ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
      ssh_message_reply_default(message);
    } else {
      ssh_message_reply_default(message);
    }
    ssh_message_free(message);
    if (done || gone)
      return done;
  }
  return false;
}

static ssh_channel open_channel(ssh_session session) {
  ssh_message message;
  while ((message = ssh_message_get(session)) != NULL) {
    ssh_channel channel = NULL;
    bool gone = false;
    if (ssh_message_type(message) == SSH_REQUEST_CHANNEL_OPEN) {
      if (is("stall-channel"))
        stall();
      else if (is("close-channel"))
        gone = true;
      else if (is("deny-channel"))
        ssh_message_reply_default(message);
      else
        channel = ssh_message_channel_request_open_reply_accept(message);
    } else {
      ssh_message_reply_default(message);
    }
    ssh_message_free(message);
    if (channel || gone)
      return channel;
  }
  return NULL;
}

static bool open_subsystem(ssh_session session) {
  ssh_message message;
  while ((message = ssh_message_get(session)) != NULL) {
    bool done = false, gone = false;
    if (ssh_message_type(message) == SSH_REQUEST_CHANNEL &&
        ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_SUBSYSTEM &&
        strcmp(ssh_message_channel_request_subsystem(message), "rpki-rtr") == 0) {
      if (is("stall-subsystem"))
        stall();
      else if (is("close-subsystem"))
        gone = true;
      else if (is("deny-subsystem"))
        ssh_message_reply_default(message);
      else
        done = ssh_message_channel_request_reply_success(message) == SSH_OK;
    } else {
      ssh_message_reply_default(message);
    }
    ssh_message_free(message);
    if (done || gone)
      return done;
  }
  return false;
}

static void misbehave(ssh_session session, ssh_channel channel) {
  static char junk[32768];
  memset(junk, 'x', sizeof(junk));
  if (is("stall")) {
    stall();
  } else if (is("eof")) {
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
    sleep(1);
  } else if (is("stderr")) {
    ssh_channel_write_stderr(channel, "no cache today\nand more\n", 24);
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
    sleep(1);
  } else if (is("shell")) {
    ssh_channel_write(channel, "Welcome to Cache OS 4.2\r\n$ ", 27);
    stall();
  } else if (is("flood")) {
    while (ssh_channel_write(channel, junk, sizeof(junk)) > 0)
      ;
  } else if (is("flood-stderr")) {
    while (ssh_channel_write_stderr(channel, junk, sizeof(junk)) > 0)
      ;
  }
  (void)session;
}

static void serve(int fd, const char *host_key) {
  ssh_bind bind = ssh_bind_new();
  ssh_session session = ssh_new();
  bool no = false;
  if (bind && session && ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, host_key) == 0 &&
      ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
      ssh_bind_accept_fd(bind, session, fd) == SSH_OK) {
    ssh_set_auth_methods(session, SSH_AUTH_METHOD_PUBLICKEY);
    if (ssh_handle_key_exchange(session) == SSH_OK && authenticate(session)) {
      ssh_channel channel = open_channel(session);
      if (channel && open_subsystem(session))
        misbehave(session, channel);
    }
  }
  if (session)
    ssh_silent_disconnect(session);
  ssh_free(session);
  ssh_bind_free(bind);
  close(fd);
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(at);
  if (argc != 4 || ssh_pki_import_pubkey_file(argv[2], &user_key) != SSH_OK)
    return 2;
  mode = argv[3];
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  /* Through void: the sockets API takes one struct for another. */
  if (listener < 0 || bind(listener, (void *)&at, len) || listen(listener, 8) ||
      getsockname(listener, (void *)&at, &len))
    return 1;
  printf("%u\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
      return 1;
    serve(fd, argv[1]);
  }
}
