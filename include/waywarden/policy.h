/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_POLICY_H
#define WAYWARDEN_POLICY_H

/**
 * @file
 * What a router does with a route because of its verdict: plain data, as configured and as reported.
 */
#include <waywarden/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is done to a route, one bit each. Numbers as on the wire (docs/formats/bmp-rpki.md). */
enum ww_action {
  WW_ACTION_ACCEPT = 0x01,
  WW_ACTION_DROP = 0x02,           /**< never enters the decision */
  WW_ACTION_LOCAL_PREF = 0x04,     /**< LOCAL_PREF is set */
  WW_ACTION_LESS_PREFERRED = 0x08, /**< loses to every route that is not */
  WW_ACTION_COMMUNITY = 0x10,      /**< a community is added */
  WW_ACTION_RFC8097 = 0x20,        /**< the origin validation state extended community is added */
  WW_ACTION_INELIGIBLE = 0x40,     /**< kept, but cannot be selected */
  WW_ACTION_LOG = 0x80,
};

struct ww_policy_action {
  uint16_t actions;    /**< enum ww_action; 0 is the same as WW_ACTION_ACCEPT */
  uint32_t local_pref; /**< with WW_ACTION_LOCAL_PREF */
  uint32_t community;  /**< with WW_ACTION_COMMUNITY (RFC 1997) */
};

enum ww_policy_mode {
  WW_POLICY_OFF = 0,
  WW_POLICY_ENFORCE = 1,
  WW_POLICY_OBSERVE = 2, /**< verdicts are given and reported, nothing is done */
};

/** For one kind of validation. */
struct ww_policy_kind {
  uint8_t mode;                       /**< enum ww_policy_mode */
  struct ww_policy_action on_unknown; /**< NotFound, Unknown */
  struct ww_policy_action on_invalid;
};

struct ww_policy {
  char name[64];
  struct ww_policy_kind kinds[WW_KIND_BGPSEC + 1]; /**< by enum ww_kind; [0] is not used */
};

#ifdef __cplusplus
}
#endif
#endif
