/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files compressed by gzip (RFC 1952), whatever is inside: unpacked piece by piece, so that memory holds one
 * piece and zlib's window. Members that follow each other are one file (RFC 1952 §2.2).
 *
 * Hostile input: a kilobyte can unpack to a megabyte of nothing, so what comes out is bounded by a limit of its own.
 */
#include <stdlib.h>
#define ZLIB_CONST /* or next_in is not */
#include <zlib.h>

#include "sources/payload_file_internal.h"

enum { WINDOW_GZIP = 16 + MAX_WBITS };

struct ww_payload_gzip {
  z_stream z;
  size_t out; /* octets unpacked */
  bool ended; /* at the end of a member */
  uint8_t piece[WW_PAYLOAD_FILE_PIECE];
};

struct ww_payload_gzip *ww_payload_gzip_new(void) {
  struct ww_payload_gzip *gzip = calloc(1, sizeof(*gzip));
  if (gzip && inflateInit2(&gzip->z, WINDOW_GZIP) != Z_OK) {
    free(gzip);
    return NULL;
  }
  return gzip;
}

void ww_payload_gzip_free(struct ww_payload_gzip *gzip) {
  if (!gzip)
    return;
  (void)inflateEnd(&gzip->z);
  free(gzip);
}

static enum ww_err broken(const struct ww_payload_gzip *gzip, int status, struct ww_diag *diag) {
  if (status == Z_MEM_ERROR)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory to unpack it");
  return ww_fail(diag, WW_ERR_MALFORMED, gzip->out, "RFC 1952 §2.3", "damaged gzip data after this many octets: %s",
                 gzip->z.msg ? gzip->z.msg : "not understood");
}

enum ww_err ww_payload_gzip_feed(struct ww_payload_gzip *gzip, struct ww_payload_file *file, const uint8_t *data,
                                 size_t len, struct ww_diag *diag) {
  size_t max = file->options.unpacked_max ? file->options.unpacked_max : WW_PAYLOAD_UNPACKED_MAX;
  enum ww_err err = WW_OK;
  while (err == WW_OK && len) {
    size_t n = len < WW_PAYLOAD_FILE_PIECE ? len : WW_PAYLOAD_FILE_PIECE;
    gzip->z.next_in = data;
    gzip->z.avail_in = (uInt)n;
    do {
      if (gzip->ended && gzip->z.avail_in) {
        if (inflateReset(&gzip->z) != Z_OK)
          return broken(gzip, Z_DATA_ERROR, diag);
        gzip->ended = false;
      }
      gzip->z.next_out = gzip->piece;
      gzip->z.avail_out = sizeof(gzip->piece);
      int status = gzip->ended ? Z_BUF_ERROR : inflate(&gzip->z, Z_NO_FLUSH);
      size_t got = sizeof(gzip->piece) - gzip->z.avail_out;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return broken(gzip, status, diag);
      gzip->ended = gzip->ended || status == Z_STREAM_END;
      gzip->out += got;
      if (gzip->out > max)
        return ww_fail(diag, WW_ERR_LIMIT, gzip->out, NULL, "unpacks to more than %zu octets", max);
      if (got)
        err = ww_payload_feed_plain(file, gzip->piece, got, diag);
    } while (err == WW_OK && (gzip->z.avail_in || gzip->z.avail_out == 0));
    data += n;
    len -= n;
  }
  return err;
}

enum ww_err ww_payload_gzip_finish(const struct ww_payload_gzip *gzip, struct ww_diag *diag) {
  return gzip->ended ? WW_OK
                     : ww_fail(diag, WW_ERR_SHORT, gzip->out, NULL,
                               "the gzip data ends after this many octets: the file is cut short");
}
