/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question to the index of VRPs that origin validation does not ask: is this very record there. A descent through
 * the fans to the one block that could hold the prefix, a binary search in it, and a look at the prefix's records.
 *
 * Whoever republishes the set needs it: a record that one source withdraws is still there when another has it.
 */
#include "validator/lookup.h"

#include "validator/snapshot_private.h"

/* Blocks are ordered by address, then length. */
static bool node_before(const struct ww_vrp_block *block, size_t i, uint64_t hi, uint64_t lo, unsigned len) {
  uint64_t node_hi, node_lo;
  ww_vrp_node_address(block, i, &node_hi, &node_lo);
  if (node_hi != hi)
    return node_hi < hi;
  if (node_lo != lo)
    return node_lo < lo;
  return ww_vrp_node_len(block, i) < len;
}

static bool block_has(const struct ww_vrp_block *block, uint64_t hi, uint64_t lo, const struct ww_vrp *vrp) {
  size_t low = 0, high = block->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (node_before(block, middle, hi, lo, vrp->prefix.len))
      low = middle + 1;
    else
      high = middle;
  }
  uint64_t node_hi, node_lo;
  if (low == block->count || ww_vrp_node_len(block, low) != vrp->prefix.len)
    return false;
  ww_vrp_node_address(block, low, &node_hi, &node_lo);
  if (node_hi != hi || node_lo != lo)
    return false;
  for (uint32_t r = block->first[low]; r < block->first[low + 1]; r++)
    if (block->records[r].asn == vrp->asn && block->records[r].max_len == vrp->max_len)
      return true;
  return false;
}

bool ww_snapshot_has_vrp(const struct ww_snapshot *snapshot, const struct ww_vrp *vrp) {
  const struct ww_vrp_part *part = snapshot->vrps[vrp->prefix.afi == WW_AFI_IPV6];
  uint64_t hi = ww_vrp_octets8(vrp->prefix.addr), lo = ww_vrp_octets8(vrp->prefix.addr + 8);
  while (part && part->is_fan) {
    const struct ww_vrp_fan *fan = ww_vrp_as_fan(part);
    if (vrp->prefix.len < (unsigned)part->depth + fan->bits)
      part = fan->shorts ? &fan->shorts->part : NULL;
    else
      part = fan->children[ww_vrp_bits(hi, lo, part->depth, fan->bits)];
  }
  return part && block_has(ww_vrp_as_block(part), hi, lo, vrp);
}
