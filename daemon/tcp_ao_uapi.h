/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of Linux's TCP-AO interface that is used here, spelled out because the headers of Debian 12 (6.1) are older
 * than it: it came with Linux 6.7, and needs CONFIG_TCP_AO. Numbers and layout are those of the kernel's ABI, which
 * does not change; elsewhere they are named as here without the prefix ww_.
 */
#ifndef WW_DAEMON_TCP_AO_UAPI_H
#define WW_DAEMON_TCP_AO_UAPI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WW_TCP_AO_ADD_KEY = 38, WW_TCP_AO_MAXKEYLEN = 80 };

struct ww_tcp_ao_add {
  struct sockaddr_storage addr; /* the peer's; port 0: any */
  char alg_name[64];            /* of the kernel's crypto, as "hmac(sha1)" */
  int32_t ifindex;
  uint32_t set_current : 1, set_rnext : 1, reserved : 30;
  uint16_t reserved2;
  uint8_t prefix; /* bits of addr that count */
  uint8_t sndid, rcvid;
  uint8_t maclen; /* octets */
  uint8_t keyflags;
  uint8_t keylen;
  uint8_t key[WW_TCP_AO_MAXKEYLEN];
} __attribute__((aligned(8)));

static_assert(sizeof(struct ww_tcp_ao_add) == 288 && offsetof(struct ww_tcp_ao_add, key) == 208,
              "the layout of the kernel's struct tcp_ao_add");

#endif
