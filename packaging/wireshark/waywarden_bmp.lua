-- SPDX-License-Identifier: BSD-2-Clause
--
-- Wireshark dissector for RPKI over BMP: the messages RPKI_CONFIG (251), RPKI_VALIDATION (252) and RPKI_IMPACT (253),
-- laid out by docs/formats/bmp-rpki.md. Copy it into Wireshark's folder of personal Lua plugins, or:
--
--     tshark -X lua_script:waywarden_bmp.lua -d tcp.port==1790,waywarden-bmp -r capture.pcap -V
--
-- How it works: BMP frames are cut out of the TCP stream here, since a stream mixes our messages with standard ones.
-- Types 251-253 are dissected in full. Of the standard types the per-peer header, what a Peer Up or Peer Down says first
-- and the TLVs of text are shown: Wireshark's own BMP dissector has no name by which a script could call it, and reads
-- version 3 only. A stream is taken without being asked (heuristic) when it holds a message of ours with our enterprise
-- number; the number and the heuristic are preferences. BGP messages inside go to Wireshark's BGP dissector.

local bmp = Proto("waywarden-bmp", "BMP with RPKI messages")

bmp.prefs.pen = Pref.uint("Private enterprise number", 32473, "Enterprise number of the TLVs (32473 is for examples)")
bmp.prefs.heuristic = Pref.bool("Recognise by content", true, "Look for RPKI messages in TCP streams of any port")

local HEADER, PEER_HEADER = 6, 42
local TYPES = {
  [0] = "Route Monitoring", [1] = "Statistics Report", [2] = "Peer Down", [3] = "Peer Up", [4] = "Initiation",
  [5] = "Termination", [6] = "Route Mirroring", [251] = "RPKI_CONFIG", [252] = "RPKI_VALIDATION",
  [253] = "RPKI_IMPACT",
}
local STATE = {[0] = "Valid", [1] = "Unknown", [2] = "Invalid", [3] = "Not evaluated"}
local TRIGGER = {[1] = "update", [2] = "data set", [3] = "policy", [4] = "resynchronisation"}
local VTYPE = {[0] = "any", [1] = "origin", [2] = "ASPA", [3] = "BGPsec", [4] = "region or AS group"}
local REASON = {
  [0] = "none", [1] = "origin AS mismatch", [2] = "longer than maxLength", [3] = "AS 0", [4] = "AS_SET origin",
  [16] = "not a provider", [17] = "valley", [18] = "first AS mismatch", [19] = "AS_SET in the path",
  [20] = "confederation segment", [21] = "empty path", [22] = "unattested hop", [23] = "no role",
  [32] = "bad signature", [33] = "no key", [34] = "unsupported suite", [35] = "path or target mismatch",
}
local RULE_KIND = {[1] = "VRP", [2] = "ASPA", [3] = "router key", [4] = "AS set"}
local SOURCE = {[1] = "RTR", [2] = "iBGP", [3] = "eBGP", [4] = "static", [5] = "SLURM"}
local PROCEDURE = {[0] = "none", [1] = "upstream", [2] = "downstream"}
local ROLE = {[0] = "provider", [1] = "RS", [2] = "RS-client", [3] = "customer", [4] = "peer", [254] = "mutual transit",
  [255] = "unknown"}
local HOP = {[0] = "provider", [1] = "not provider", [2] = "no attestation"}
local IMPACT = {[1] = "demoted", [2] = "promoted", [3] = "excluded", [4] = "restored"}
local STATUS = {[0] = "n/a", [1] = "active", [2] = "idle", [3] = "connecting", [4] = "unreachable", [5] = "disabled"}
local TRANSPORT = {[1] = "TCP", [2] = "TLS", [3] = "SSH", [4] = "TCP-MD5", [5] = "TCP-AO"}
local OVERRIDE = {
  [1] = "prefixAssertion", [2] = "prefixFilter", [3] = "bgpsecAssertion", [4] = "bgpsecFilter", [5] = "aspaAssertion",
  [6] = "aspaFilter",
}

-- Fields, by the name that filters use.
local f, experts = {}, {}
local function field(kind, name, label, ...)
  local key = name:gsub("[.-]", "_")
  f[key] = ProtoField[kind]("waywarden-bmp." .. name, label, ...)
end
field("uint8", "version", "Version", base.DEC)
field("uint32", "length", "Length", base.DEC)
field("uint8", "type", "Type", base.DEC, TYPES)
field("bytes", "peer", "Per-peer header")
field("uint8", "peer.type", "Peer type", base.DEC)
field("uint8", "peer.flags", "Flags", base.HEX)
field("uint64", "peer.distinguisher", "Distinguisher", base.HEX)
field("ipv4", "peer.address", "Address")
field("ipv6", "peer.address6", "Address")
field("uint32", "peer.asn", "AS", base.DEC)
field("ipv4", "peer.id", "BGP ID")
field("uint32", "peer.sec", "Seconds", base.DEC)
field("uint32", "peer.usec", "Microseconds", base.DEC)
field("bytes", "tlv", "TLV")
field("bool", "tlv.enterprise", "Enterprise", 16, nil, 0x8000)
field("uint16", "tlv.type", "Type", base.DEC, nil, 0x7fff)
field("uint16", "tlv.length", "Length", base.DEC)
field("bool", "tlv.group", "Group", 16, nil, 0x8000)
field("uint16", "tlv.index", "Index", base.DEC, nil, 0x7fff)
field("uint32", "tlv.pen", "Enterprise number", base.DEC)
field("bytes", "tlv.value", "Value")
field("string", "information", "Information")
field("bytes", "statistics", "Statistics")
field("bytes", "up.local", "Local address")
field("uint16", "up.local_port", "Local port", base.DEC)
field("uint16", "up.remote_port", "Remote port", base.DEC)
field("uint8", "down.reason", "Reason", base.DEC)
field("uint16", "group.member", "NLRI", base.DEC)
field("uint64", "sequence", "Sequence Number", base.DEC)
field("uint8", "timestamp.kind", "Kind", base.DEC, {[1] = "trigger", [2] = "export"})
field("uint32", "timestamp.sec", "Seconds", base.DEC)
field("uint32", "timestamp.usec", "Microseconds", base.DEC)
field("uint8", "profile.encoding", "Encoding", base.DEC)
field("uint8", "profile.tlv_draft", "draft-ietf-grow-bmp-tlv revision", base.DEC)
field("uint16", "profile.flags", "Flags", base.HEX)
field("bool", "profile.snapshot_start", "Snapshot start", 16, nil, 0x0001)
field("bool", "profile.snapshot_end", "Snapshot end", 16, nil, 0x0002)
field("bool", "profile.delta", "Delta", 16, nil, 0x0004)
field("bool", "profile.signed", "Signed", 16, nil, 0x0008)
field("bool", "profile.truncated", "Truncated", 16, nil, 0x0010)
field("uint32", "profile.snapshot_id", "Snapshot id", base.DEC)
field("uint8", "state", "Overall state", base.DEC, STATE)
field("uint8", "trigger", "Trigger", base.DEC, TRIGGER)
field("uint32", "epoch", "Epoch", base.DEC)
field("uint8", "result.kind", "Kind of validation", base.DEC, VTYPE)
field("uint8", "result.state", "State", base.DEC, STATE)
field("uint16", "result.reason", "Reason", base.DEC, REASON)
field("uint8", "rule.kind", "Kind", base.DEC, RULE_KIND)
field("uint8", "rule.state", "State", base.DEC, STATE)
field("uint16", "rule.flags", "Flags", base.HEX)
field("uint32", "rule.source", "Source id", base.DEC)
field("uint64", "rule.expires", "Expires (Unix seconds)", base.DEC)
field("uint16", "rule.afi", "AFI", base.DEC)
field("uint8", "rule.prefix_length", "Prefix length", base.DEC)
field("uint8", "rule.max_length", "maxLength", base.DEC)
field("uint32", "rule.asn", "AS", base.DEC)
field("ipv4", "rule.prefix", "Prefix")
field("ipv6", "rule.prefix6", "Prefix")
field("uint32", "rule.customer", "Customer AS", base.DEC)
field("uint32", "rule.provider", "Provider AS", base.DEC)
field("bytes", "rule.ski", "SKI")
field("uint32", "label.source", "Source id", base.DEC)
field("uint8", "label.type", "Source type", base.DEC, SOURCE)
field("string", "label.name", "Name")
field("uint8", "aspa.procedure", "Procedure", base.DEC, PROCEDURE)
field("uint8", "aspa.role", "Local role", base.DEC, ROLE)
field("uint32", "aspa.n", "ASes without prepends", base.DEC)
field("uint32", "aspa.max_up", "max_up_ramp", base.DEC)
field("uint32", "aspa.min_up", "min_up_ramp", base.DEC)
field("uint32", "aspa.max_down", "max_down_ramp", base.DEC)
field("uint32", "aspa.min_down", "min_down_ramp", base.DEC)
field("uint32", "aspa.hop_customer", "Customer AS", base.DEC)
field("uint32", "aspa.hop_provider", "Provider AS", base.DEC)
field("uint8", "aspa.hop_state", "State", base.DEC, HOP)
field("uint8", "aspa.hop_flags", "Flags (0x1 up-ramp, 0x2 failing)", base.HEX)
field("uint32", "bgpsec.asn", "AS", base.DEC)
field("uint8", "bgpsec.suite", "Algorithm suite", base.DEC)
field("uint8", "bgpsec.result", "Result", base.DEC)
field("bytes", "bgpsec.ski", "SKI")
field("uint8", "impact.kind", "Impact", base.DEC, IMPACT)
field("uint16", "impact.actions", "Actions", base.HEX)
field("uint8", "alternate.role", "Role", base.DEC, {[0] = "none", [1] = "new best with RPKI", [2] = "best without RPKI"})
field("uint8", "alternate.state", "State", base.DEC, STATE)
field("uint8", "basis", "Basis", base.DEC, {[1] = "counterfactual run", [2] = "router-reported"})
field("uint16", "basis.reason", "Path-marking reason", base.DEC)
field("bytes", "signature", "COSE_Sign1")
field("uint8", "scope", "Scope", base.DEC, {[0] = "global", [1] = "peer"})
field("uint8", "subtype", "Group sub-type", base.DEC, {[1] = "data source", [2] = "policy", [3] = "SLURM exceptions"})
field("uint8", "source.type", "Source type", base.DEC, SOURCE)
field("uint32", "source.id", "Source id", base.DEC)
field("string", "source.label", "Label")
field("uint8", "source.status", "Status", base.DEC, STATUS)
field("uint8", "source.record_kind", "Record kind", base.DEC, {[1] = "VRP IPv4", [2] = "VRP IPv6", [3] = "ASPA", [4] = "router key"})
field("uint64", "source.records", "Records", base.DEC)
field("uint64", "source.errors", "Errors", base.DEC)
field("uint8", "source.transport", "Transport", base.DEC, TRANSPORT)
field("uint8", "source.rtr_version", "RTR version", base.DEC)
field("uint8", "source.update", "Last", base.DEC, {[1] = "synchronised", [2] = "attempted"})
field("uint8", "source.hash_algorithm", "Algorithm", base.DEC, {[1] = "SHA-256"})
field("uint8", "source.hash_kind", "Of", base.DEC, {[1] = "VRPs", [2] = "ASPAs", [3] = "router keys"})
field("bytes", "source.hash", "Hash")
field("uint8", "source.role", "Role", base.DEC, {[1] = "primary", [2] = "backup"})
field("uint16", "source.preference", "Preference", base.DEC)
field("uint8", "slurm.kind", "Kind", base.DEC, OVERRIDE)
field("string", "policy.name", "Policy")

local fields = {}
for _, value in pairs(f) do
  fields[#fields + 1] = value
end
bmp.fields = fields
experts.short = ProtoExpert.new("waywarden-bmp.short", "Ends early", expert.group.MALFORMED, expert.severity.ERROR)
bmp.experts = {experts.short}

local bgp = Dissector.get("bgp")

-- A cursor over a TvbRange that never reads beyond it.
local function cursor(range)
  return {range = range, at = 0, left = function(self) return self.range:len() - self.at end,
          take = function(self, n)
            local part = self.range(self.at, n)
            self.at = self.at + n
            return part
          end}
end

-- Adds `spec` = {{field, octets}...} in order, as far as octets are there. Returns the cursor.
local function put(tree, c, spec)
  for _, item in ipairs(spec) do
    if c:left() < item[2] then
      tree:add_proto_expert_info(experts.short)
      return c
    end
    tree:add(item[1], c:take(item[2]))
  end
  return c
end

local function peer_header(range, tree, label)
  local sub = tree:add(f.peer, range)
  sub:set_text(label)
  local v6 = bit32 and bit32.band(range(1, 1):uint(), 0x80) ~= 0 or range(1, 1):bitfield(0, 1) == 1
  sub:add(f.peer_type, range(0, 1))
  sub:add(f.peer_flags, range(1, 1))
  sub:add(f.peer_distinguisher, range(2, 8))
  if v6 then
    sub:add(f.peer_address6, range(10, 16))
  else
    sub:add(f.peer_address, range(22, 4))
  end
  sub:add(f.peer_asn, range(26, 4))
  sub:add(f.peer_id, range(30, 4))
  sub:add(f.peer_sec, range(34, 4))
  sub:add(f.peer_usec, range(38, 4))
end

local function bgp_message(range, pinfo, tree)
  if range:len() > 0 then
    bgp:call(range:tvb(), pinfo, tree)
  end
end

local function rule(c, tree)
  put(tree, c, {{f.rule_kind, 1}})
  local kind = c.range(0, 1):uint()
  put(tree, c, {{f.rule_state, 1}, {f.rule_flags, 2}, {f.rule_source, 4}, {f.rule_expires, 8}})
  if kind == 1 and c:left() >= 8 then
    local v6 = c.range(c.at, 2):uint() == 2
    put(tree, c, {{f.rule_afi, 2}, {f.rule_prefix_length, 1}, {f.rule_max_length, 1}, {f.rule_asn, 4},
                  {v6 and f.rule_prefix6 or f.rule_prefix, v6 and 16 or 4}})
  elseif kind == 2 and c:left() >= 6 then
    put(tree, c, {{f.rule_customer, 4}})
    local count = c:take(2):uint()
    for _ = 1, math.min(count, math.floor(c:left() / 4)) do
      put(tree, c, {{f.rule_provider, 4}})
    end
  elseif kind == 3 then
    put(tree, c, {{f.rule_asn, 4}, {f.rule_ski, 20}})
  end
end

-- Our TLVs: name, and how to show the value.
local OURS = {
  [1] = {"Profile", function(c, tree)
    put(tree, c, {{f.profile_encoding, 1}, {f.profile_tlv_draft, 1}})
    if c:left() >= 2 then
      local flags = c:take(2)
      local sub = tree:add(f.profile_flags, flags)
      for _, flag in ipairs({"snapshot_start", "snapshot_end", "delta", "signed", "truncated"}) do
        sub:add(f["profile_" .. flag], flags)
      end
    end
    put(tree, c, {{f.profile_snapshot_id, 4}})
  end},
  [4] = {"Signature", function(c, tree) tree:add(f.signature, c:take(c:left())) end},
  [5] = {"Scope", function(c, tree) put(tree, c, {{f.scope, 1}}) end},
  [6] = {"Group Sub-type", function(c, tree) put(tree, c, {{f.subtype, 1}}) end},
  [16] = {"Source Type", function(c, tree)
    put(tree, c, {{f.source_type, 1}})
    if c:left() >= 5 then
      c:take(1)
      put(tree, c, {{f.source_id, 4}})
      tree:add(f.source_label, c:take(c:left()))
    end
  end},
  [17] = {"Status", function(c, tree) put(tree, c, {{f.source_status, 1}}) end},
  [18] = {"Record Count", function(c, tree)
    while c:left() >= 9 do
      put(tree, c, {{f.source_record_kind, 1}, {f.source_records, 8}})
    end
  end},
  [20] = {"Error Count", function(c, tree) put(tree, c, {{f.source_errors, 8}}) end},
  [19] = {"Last Update", function(c, tree) put(tree, c, {{f.source_update, 1}, {f.timestamp_sec, 4}, {f.timestamp_usec, 4}}) end},
  [21] = {"CCR Hash", function(c, tree) put(tree, c, {{f.source_hash_algorithm, 1}, {f.source_hash_kind, 1}, {f.source_hash, 32}}) end},
  [24] = {"RTR Preference", function(c, tree) put(tree, c, {{f.source_role, 1}, {f.source_preference, 2}}) end},
  [25] = {"RTR Version", function(c, tree) put(tree, c, {{f.source_rtr_version, 1}}) end},
  [26] = {"Transport", function(c, tree) put(tree, c, {{f.source_transport, 1}}) end},
  [67] = {"SLURM Override", function(c, tree) put(tree, c, {{f.slurm_kind, 1}}) end},
  [68] = {"Policy Name", function(c, tree) tree:add(f.policy_name, c:take(c:left())) end},
  [128] = {"Overall State", function(c, tree, info)
    info.state = c:left() > 0 and STATE[c.range(0, 1):uint()] or info.state
    put(tree, c, {{f.state, 1}, {f.trigger, 1}, {f.epoch, 4}})
  end},
  [129] = {"Validation Result", function(c, tree)
    put(tree, c, {{f.result_kind, 1}, {f.result_state, 1}, {f.result_reason, 2}})
  end},
  [130] = {"Rule", rule},
  [131] = {"BGPsec Segments", function(c, tree)
    for _ = 1, c:left() > 0 and c:take(1):uint() or 0 do
      put(tree, c, {{f.bgpsec_asn, 4}, {f.bgpsec_suite, 1}, {f.bgpsec_result, 1}, {f.bgpsec_ski, 20}})
    end
  end},
  [132] = {"Covering Rule", rule},
  [133] = {"Source Label", function(c, tree)
    put(tree, c, {{f.label_source, 4}, {f.label_type, 1}})
    tree:add(f.label_name, c:take(c:left()))
  end},
  [134] = {"Path Result", function(c, tree)
    put(tree, c, {{f.aspa_procedure, 1}, {f.aspa_role, 1}})
    local hops = c:left() >= 2 and c:take(2):uint() or 0
    put(tree, c, {{f.aspa_n, 4}, {f.aspa_max_up, 4}, {f.aspa_min_up, 4}, {f.aspa_max_down, 4}, {f.aspa_min_down, 4}})
    for _ = 1, math.min(hops, math.floor(c:left() / 10)) do
      put(tree, c, {{f.aspa_hop_customer, 4}, {f.aspa_hop_provider, 4}, {f.aspa_hop_state, 1}, {f.aspa_hop_flags, 1}})
    end
  end},
  [160] = {"Impact", function(c, tree, info)
    info.state = c:left() > 0 and IMPACT[c.range(0, 1):uint()] or info.state
    put(tree, c, {{f.impact_kind, 1}})
    if c:left() >= 3 then
      c:take(1)
      put(tree, c, {{f.impact_actions, 2}})
    end
  end},
  [162] = {"Alternate Route", function(c, tree, _, pinfo)
    put(tree, c, {{f.alternate_role, 1}, {f.alternate_state, 1}})
    if c:left() >= 2 + PEER_HEADER then
      c:take(2)
      peer_header(c:take(PEER_HEADER), tree, "Per-peer header of the alternate")
      bgp_message(c:take(c:left()), pinfo, tree)
    end
  end},
  [163] = {"Decision Basis", function(c, tree)
    put(tree, c, {{f.basis, 1}})
    put(tree, c, {{f.basis_reason, 2}})
  end},
}

-- TLVs of draft-ietf-grow-bmp-tlv by revision.
local DRAFT = {
  [21] = {[1] = "Group", [2] = "VRF/Table Name", [3] = "Stateless Parsing", [4] = "BGP Message", [5] = "Sequence Number",
          [6] = "Extended Flags", [7] = "Timestamp"},
  [19] = {[1] = "Stateless Parsing", [2] = "Group", [3] = "VRF/Table Name", [4] = "BGP Message"},
}

local function draft_value(name, c, tree, pinfo)
  if name == "BGP Message" then
    bgp_message(c:take(c:left()), pinfo, tree)
  elseif name == "Group" then
    while c:left() >= 2 do
      put(tree, c, {{f.group_member, 2}})
    end
  elseif name == "Sequence Number" then
    put(tree, c, {{f.sequence, 8}})
  elseif name == "Timestamp" then
    put(tree, c, {{f.timestamp_kind, 1}, {f.timestamp_sec, 4}, {f.timestamp_usec, 4}})
  end
end

local function tlvs(c, pinfo, tree, info)
  local draft = DRAFT[21]
  while c:left() >= 6 do
    local start = c.at
    local kind_range, length = c:take(2), c:take(2):uint()
    local index_range = c:take(2)
    local enterprise, kind = kind_range:bitfield(0, 1) == 1, kind_range:bitfield(1, 15)
    if c:left() < length or (enterprise and length < 4) then
      tree:add_proto_expert_info(experts.short)
      return
    end
    local sub = tree:add(f.tlv, c.range(start, 6 + length))
    sub:add(f.tlv_enterprise, kind_range)
    sub:add(f.tlv_type, kind_range)
    sub:add(f.tlv_length, c.range(start + 2, 2))
    sub:add(f.tlv_group, index_range)
    sub:add(f.tlv_index, index_range)
    local pen = enterprise and c.range(c.at, 4):uint() or nil
    if enterprise then
      sub:add(f.tlv_pen, c:take(4))
      length = length - 4
    end
    local value = length > 0 and c:take(length) or nil
    local ours = enterprise and pen == bmp.prefs.pen and OURS[kind]
    local name = ours and ours[1] or not enterprise and draft[kind] or
                     string.format("%s TLV %d", enterprise and "Enterprise" or "Unknown", kind)
    local index = index_range:bitfield(1, 15)
    sub:set_text(name .. (index_range:bitfield(0, 1) == 1 and string.format(", group %d", index) or
                              index > 0 and string.format(", NLRI %d", index) or ""))
    if value and ours and kind == 1 and length >= 2 then
      draft = DRAFT[value(1, 1):uint()] or draft
    end
    if value and ours then
      ours[2](cursor(value), sub, info, pinfo)
    elseif value and not enterprise and draft[kind] then
      draft_value(name, cursor(value), sub, pinfo)
    elseif value then
      sub:add(f.tlv_value, value)
    end
  end
end

-- Every BGP message that the cursor is at.
local function bgp_messages(c, pinfo, tree)
  while c:left() >= 19 do
    local length = c.range(c.at + 16, 2):uint()
    if length < 19 or length > c:left() then
      return
    end
    bgp_message(c:take(length), pinfo, tree)
  end
end

-- What a standard message holds behind its per-peer header; version 4 has TLVs where version 3 has bare fields.
local STANDARD = {
  [0] = function(c, pinfo, tree, version)
    if version == 4 then
      tlvs(c, pinfo, tree, {})
    else
      bgp_messages(c, pinfo, tree)
    end
  end,
  [1] = function(c, _, tree)
    if c:left() > 0 then
      tree:add(f.statistics, c:take(c:left()))
    end
  end,
  [2] = function(c, pinfo, tree)
    put(tree, c, {{f.down_reason, 1}})
    bgp_messages(c, pinfo, tree)
  end,
  [3] = function(c, pinfo, tree)
    put(tree, c, {{f.up_local, 16}, {f.up_local_port, 2}, {f.up_remote_port, 2}})
    bgp_messages(c, pinfo, tree)
  end,
  [4] = function(c, _, tree)
    while c:left() >= 4 do
      c:take(2)
      local length = c:take(2):uint()
      if length > c:left() then
        tree:add_proto_expert_info(experts.short)
        return
      end
      if length > 0 then
        tree:add(f.information, c:take(length))
      end
    end
  end,
}

local function message(tvb, pinfo, tree)
  local kind, version = tvb(5, 1):uint(), tvb(0, 1):uint()
  local sub, info, c = tree:add(bmp, tvb()), {}, cursor(tvb())
  put(sub, c, {{f.version, 1}, {f.length, 4}, {f.type, 1}})
  local ours = kind >= 251 and kind <= 253
  -- RPKI_CONFIG has a per-peer header only where it is about a peer: a peer type is below 0x80, our first TLV is not.
  local has_peer = kind <= 3 or kind == 6 or (ours and (kind ~= 251 or (c:left() > 0 and tvb(HEADER, 1):uint() < 0x80)))
  if has_peer and c:left() >= PEER_HEADER then
    peer_header(c:take(PEER_HEADER), sub, "Per-peer header")
  end
  if ours then
    tlvs(c, pinfo, sub, info)
  elseif STANDARD[kind] then
    STANDARD[kind](c, pinfo, sub, version)
  end
  local name = TYPES[kind] or "type " .. kind
  sub:append_text(", " .. name .. (info.state and ": " .. info.state or ""))
  return name .. (info.state and " " .. info.state or "")
end

local function frame_length(tvb, _, offset) return tvb(offset + 1, 4):uint() end

-- Text behind the fence is what a BGP message inside has written: ours takes its place.
local function frame(tvb, pinfo, tree)
  local text = message(tvb, pinfo, tree)
  pinfo.cols.info:clear()
  pinfo.cols.info:append(text .. "  ")
  pinfo.cols.info:fence()
  return tvb:len()
end

function bmp.dissector(tvb, pinfo, tree)
  pinfo.cols.info:set("BMP: ")
  pinfo.cols.info:fence()
  dissect_tcp_pdus(tvb, tree, HEADER, frame_length, frame)
  pinfo.cols.protocol = "BMP"
  return tvb:len()
end

-- True for a segment that begins with a BMP message and, walking from frame to frame, holds one of ours.
local function looks_like_ours(tvb, pinfo, tree)
  if not bmp.prefs.heuristic then
    return false
  end
  local at = 0
  while at + HEADER <= tvb:len() do
    local version, length, kind = tvb(at, 1):uint(), tvb(at + 1, 4):uint(), tvb(at + 5, 1):uint()
    if (version ~= 3 and version ~= 4) or length < HEADER or length > 65535 or not TYPES[kind] then
      return false
    end
    local first = kind == 251 and at + HEADER or at + HEADER + PEER_HEADER
    if kind >= 251 and first + 10 <= tvb:len() and tvb(first, 2):uint() == 0x8001 and
        tvb(first + 6, 4):uint() == bmp.prefs.pen then
      pinfo.conversation = bmp
      pinfo.can_desegment = 2 -- as for a dissector that the port chose: the calls on the way here have counted it down
      bmp.dissector(tvb, pinfo, tree)
      return true
    end
    at = at + length
  end
  return false
end

bmp:register_heuristic("tcp", looks_like_ours)
DissectorTable.get("tcp.port"):add_for_decode_as(bmp)
