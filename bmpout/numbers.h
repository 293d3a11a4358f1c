/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every number of draft-wang-grow-bmp-rpki-mon-reqs-03 as this project assigns them: the draft asks for three BMP
 * messages and gives no values. docs/formats/bmp-rpki.md is the registry in words. Numbers of draft-ietf-grow-bmp-tlv
 * are in wire/bmp_tlv.h.
 */
#ifndef WW_BMPOUT_NUMBERS_H
#define WW_BMPOUT_NUMBERS_H

/* Message types, of the experimental range 251-254. 251 and 253 are reserved for what the draft's TBD1 and TBD3 ask
 * for. */
enum { WW_BMP_RPKI_CONFIG = 251, WW_BMP_RPKI_VALIDATION = 252, WW_BMP_RPKI_IMPACT = 253 };

/* Private enterprise number of the examples in docs (RFC 5612), for tests and laboratories. */
enum { WW_PEN_EXAMPLE = 32473 };

/* TLVs of our enterprise number, every one of them indexed. */
enum ww_rpki_tlv {
  WW_RPKI_TLV_PROFILE = 1,
  WW_RPKI_TLV_SIGNATURE = 4,
  WW_RPKI_TLV_SCOPE = 5,
  WW_RPKI_TLV_SUBTYPE = 6,
  /* data sources */
  WW_RPKI_TLV_SOURCE_TYPE = 16,
  WW_RPKI_TLV_STATUS = 17,
  WW_RPKI_TLV_RECORD_COUNT = 18,
  WW_RPKI_TLV_LAST_UPDATE = 19,
  WW_RPKI_TLV_ERROR_COUNT = 20,
  WW_RPKI_TLV_CCR_HASH = 21,
  WW_RPKI_TLV_RTR_PREFERENCE = 24,
  WW_RPKI_TLV_RTR_VERSION = 25,
  WW_RPKI_TLV_TRANSPORT = 26,
  WW_RPKI_TLV_ENDPOINT = 27,
  WW_RPKI_TLV_BGP_SOURCE = 28,
  WW_RPKI_TLV_RELATIONSHIP = 29,
  WW_RPKI_TLV_MODIFIED = 30,
  WW_RPKI_TLV_SLURM_COUNTS = 31,
  WW_RPKI_TLV_SLURM_ERRORS = 32,
  /* policy */
  WW_RPKI_TLV_VALIDATION_ENABLE = 64,
  WW_RPKI_TLV_STATE_ACTION = 66,
  WW_RPKI_TLV_SLURM_OVERRIDE = 67,
  WW_RPKI_TLV_POLICY_NAME = 68,
  /* validation */
  WW_RPKI_TLV_OVERALL_STATE = 128,
  WW_RPKI_TLV_RESULT = 129,
  WW_RPKI_TLV_RULE = 130,
  WW_RPKI_TLV_BGPSEC_SEGMENTS = 131,
  WW_RPKI_TLV_COVERING_RULE = 132,
  WW_RPKI_TLV_SOURCE_LABEL = 133,
  WW_RPKI_TLV_PATH_RESULT = 134,
};

enum { WW_RPKI_HASH_SHA256 = 1 };

enum { WW_RPKI_ENCODING = 1 }; /* Profile TLV: version of this encoding */

enum ww_profile_flag {
  WW_PROFILE_SNAPSHOT_START = 0x0001,
  WW_PROFILE_SNAPSHOT_END = 0x0002,
  WW_PROFILE_DELTA = 0x0004,
  WW_PROFILE_SIGNED = 0x0008,
  WW_PROFILE_TRUNCATED = 0x0010,
};

enum ww_rule_kind { WW_RULE_VRP = 1, WW_RULE_ASPA = 2, WW_RULE_ROUTER_KEY = 3, WW_RULE_AS_SET = 4 };

enum ww_rule_flag {
  WW_RULE_ASN_MATCHES = 0x0001,
  WW_RULE_LENGTH_OK = 0x0002,
  WW_RULE_SLURM = 0x0004,
  WW_RULE_STATIC = 0x0008,
  WW_RULE_CUT = 0x0010, /* an ASPA of which not every provider is listed */
};

/* Of a hop in a Path Result. */
enum ww_hop_flag { WW_HOP_FLAG_UP = 0x01, WW_HOP_FLAG_FAILING = 0x02 };

/* Where a rule came from: what ww_out_view.source_type() says and Source Label carries. */
enum ww_rule_source {
  WW_RULE_SOURCE_RTR = 1,
  WW_RULE_SOURCE_IBGP = 2,
  WW_RULE_SOURCE_EBGP = 3,
  WW_RULE_SOURCE_STATIC = 4,
  WW_RULE_SOURCE_SLURM = 5,
  WW_RULE_SOURCE_FILE = 6 /* ours alone: goes out as static */
};

enum {
  WW_VALIDATION_NLRI_MAX = 2048, /* in one message of ours; the encoding allows 32767 */
  WW_VALIDATION_RULES_MAX = 64,  /* VRPs for one NLRI; what is cut is flagged (WW_PROFILE_TRUNCATED) */
  WW_VALIDATION_ASPAS_MAX = 32,  /* ASPAs of one path, providers of one of them, hops: likewise */
  WW_VALIDATION_PROVIDERS_MAX = 256,
  WW_VALIDATION_HOPS_MAX = 128,
  WW_VALIDATION_KEYS_MAX = 64, /* router keys of one route, and segments: likewise */
  WW_VALIDATION_SEGMENTS_MAX = 255,
  WW_VALIDATION_EXPANDED_MAX = 65536, /* decoder: rules of a message, counted once for each NLRI they apply to */
  WW_SOURCE_LABEL_MAX = 255,          /* octets */
};

#endif
