/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of RFC 8205 §5.2 that need no key, in the order cheap before expensive. */
#ifndef WW_BGPSEC_CHECK_H
#define WW_BGPSEC_CHECK_H

#include "wire/bgp_bgpsec.h"

/* Checks 2 and 5 to 8, on a path that decoded (which is checks 1 and 3). */
enum ww_bgpsec_reason ww_bgpsec_check_session(const struct ww_bgpsec_session *session,
                                              const struct ww_bgpsec_path *path);

#endif
