/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells AddressSanitizer which parts of a pooled allocation are not in use, so that a stale or overlong access into an
 * arena or a slab is reported as one into plain heap memory would be. Without the sanitizer these are nothing.
 */
#ifndef WW_BASE_ASAN_H
#define WW_BASE_ASAN_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define WW_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WW_ASAN 1
#endif
#endif

#ifdef WW_ASAN
#include <sanitizer/asan_interface.h>
/* The empty asm keeps gcc from seeing fresh memory passed as pointer to const and taking that for a read. */
static inline void ww_asan_poison(void *p, size_t n) {
  __asm__("" : "+r"(p));
  __asan_poison_memory_region(p, n);
}
static inline void ww_asan_unpoison(void *p, size_t n) { __asan_unpoison_memory_region(p, n); }
#else
static inline void ww_asan_poison(void *p, size_t n) {
  (void)p;
  (void)n;
}
static inline void ww_asan_unpoison(void *p, size_t n) {
  (void)p;
  (void)n;
}
#endif

#endif
