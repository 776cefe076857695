-- Wireshark dissector for what M-ICE adds to Mobile IPv6 and DSMIPv6 (draft-tschofenig-mip6-ice-01, wire profile MICE-1):
--
--   * IPv6 packets inside UDP, on port 4191 (home agent tunnel) and on any other port (nominated pair)
--   * CoTI-ICE and CoT-ICE, Mobility Header types 22 and 23
--   * the MIP-ICE mobility option, number 18, in these two and in Binding Updates and Acknowledgements
--   * the checksums of Mobility Headers and of MIP-ICE options, which Wireshark itself does not verify
--
-- Usage, for one command or for good:
--
--   tshark -X lua_script:mice.lua -r capture.pcapng
--   cp mice.lua ~/.local/lib/wireshark/plugins/
--
-- Useful filters:
--
--   mice                         every mobility message
--   mice_tunnel                  every IPv6 packet in UDP
--   mice.option                  offers and answers, first and updated ones
--   mice.option.type == 2        ... with a server-reflexive candidate
--   mice.checksum.status == 0    a wrong checksum
--   mice.malformed               a MIP-ICE option that breaks the rules of the profile
--
-- The numbers can be changed in the preferences of the protocol MICE: -o mice.option_number:77
--
-- Written for Wireshark 4.0 (Debian 12) and its Lua 5.2.

local mice = Proto("mice", "M-ICE")
local tunnel = Proto("mice_tunnel", "IPv6 in UDP (DSMIPv6)")

mice.prefs.option_number = Pref.uint("MIP-ICE option number", 18, "Mobility option that carries offers and answers")
mice.prefs.coti_ice = Pref.uint("CoTI-ICE type", 22, "Mobility Header type of CoTI-ICE")
mice.prefs.cot_ice = Pref.uint("CoT-ICE type", 23, "Mobility Header type of CoT-ICE")

local BINDING_UPDATE = 5
local BINDING_ACKNOWLEDGEMENT = 6
local MOBILITY_HEADER = 135

local CANDIDATE_TYPES = {
  [1] = "host",
  [2] = "server-reflexive",
  [3] = "peer-reflexive",
  [4] = "relayed",
  [15] = "remote-candidate",
}
local TRANSPORTS = { [6] = "TCP", [17] = "UDP" }
local STATUS = { [0] = "Bad", [1] = "Good" }

local f = {
  checksum_status = ProtoField.uint8("mice.checksum.status", "Checksum Status", base.DEC, STATUS),
  cookie = ProtoField.bytes("mice.care_of_init_cookie", "Care-of Init Cookie"),
  nonce_index = ProtoField.uint16("mice.care_of_nonce_index", "Care-of Nonce Index"),
  token = ProtoField.bytes("mice.care_of_keygen_token", "Care-of Keygen Token"),
  option = ProtoField.none("mice.option", "MIP-ICE Option"),
  segment = ProtoField.uint8("mice.option.segment", "Segment", base.DEC, nil, 0xf0),
  last_segment = ProtoField.uint8("mice.option.last_segment", "Last Segment", base.DEC, nil, 0x0f),
  count = ProtoField.uint8("mice.option.candidates", "# of Candidates"),
  checksum = ProtoField.uint16("mice.option.checksum", "Checksum", base.HEX),
  lite = ProtoField.bool("mice.option.lite", "ICE Lite (L)", 16, nil, 0x8000),
  mismatch = ProtoField.bool("mice.option.mismatch", "ICE Mismatch (M)", 16, nil, 0x4000),
  pwd = ProtoField.string("mice.option.pwd", "Ice-pwd"),
  ufrag = ProtoField.string("mice.option.ufrag", "ice-ufrag"),
  ice_options = ProtoField.string("mice.option.ice_options", "ice-options"),
  candidate = ProtoField.none("mice.option.candidate", "Candidate"),
  version = ProtoField.uint32("mice.option.version", "IP Version", base.DEC, nil, 0xf0000000),
  length = ProtoField.uint32("mice.option.length", "Length", base.DEC, nil, 0x0ffff000),
  type = ProtoField.uint32("mice.option.type", "Type", base.DEC, CANDIDATE_TYPES, 0x00000f00),
  component = ProtoField.uint32("mice.option.component", "Component", base.DEC, nil, 0x000000ff),
  transport = ProtoField.uint8("mice.option.transport", "Transport", base.DEC, TRANSPORTS),
  priority = ProtoField.uint32("mice.option.priority", "Priority"),
  address4 = ProtoField.ipv4("mice.option.address", "Connection Address"),
  address6 = ProtoField.ipv6("mice.option.address6", "Connection Address"),
  port = ProtoField.uint16("mice.option.port", "Port"),
  related4 = ProtoField.ipv4("mice.option.related_address", "Related Address"),
  related6 = ProtoField.ipv6("mice.option.related_address6", "Related Address"),
  related_port = ProtoField.uint16("mice.option.related_port", "Related Port"),
}
mice.fields = f

local e = {
  checksum = ProtoExpert.new("mice.bad_checksum", "Wrong checksum", expert.group.CHECKSUM, expert.severity.ERROR),
  malformed = ProtoExpert.new("mice.malformed", "Breaks the MICE-1 profile", expert.group.MALFORMED, expert.severity.ERROR),
}
mice.experts = e

local ipv6_src = Field.new("ipv6.src")
local ipv6_dst = Field.new("ipv6.dst")
local home_address_option = Field.new("ipv6.opt.mipv6.home_address")

local wireshark_ipv6 = Dissector.get("ipv6")
local wireshark_mobility = DissectorTable.get("ip.proto"):get_dissector(MOBILITY_HEADER)

-- RFC 1071 sum of a byte array; 0xFFFF over data with a right checksum in it.
local function ones_complement_sum(bytes)
  local sum = 0
  for i = 0, bytes:len() - 1 do
    local octet = bytes:get_index(i)
    sum = sum + (i % 2 == 0 and octet * 256 or octet)
  end
  while sum > 0xffff do
    sum = sum % 0x10000 + math.floor(sum / 0x10000)
  end
  return sum
end

local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Credentials as STUN shows them: base64 without padding.
local function ice_chars(bytes)
  local text, bits, held = {}, 0, 0
  for i = 0, bytes:len() - 1 do
    bits, held = bits * 256 + bytes:get_index(i), held + 8
    while held >= 6 do
      held = held - 6
      local index = math.floor(bits / 2 ^ held)
      bits = bits % 2 ^ held
      text[#text + 1] = BASE64:sub(index + 1, index + 1)
    end
  end
  if held > 0 then
    local index = bits * 2 ^ (6 - held)
    text[#text + 1] = BASE64:sub(index + 1, index + 1)
  end
  return table.concat(text)
end

local function add_checksum_status(tree, is_good)
  local item = tree:add(f.checksum_status, is_good and 1 or 0):set_generated()
  if not is_good then
    item:add_proto_expert_info(e.checksum)
  end
end

local function innermost(infos)
  return infos[#infos]
end

-- The pseudo-header (RFC 6275 section 6.1.1): source, destination, length, next header.
local function mobility_sum(range)
  local source = innermost({ home_address_option() }) or innermost({ ipv6_src() })
  local destination = innermost({ ipv6_dst() })
  if not source or not destination then
    return nil
  end
  local bytes = ByteArray.new()
  bytes:append(source.range:bytes())
  bytes:append(destination.range:bytes())
  bytes:append(ByteArray.new(string.format("%08x%08x", range:len(), MOBILITY_HEADER)))
  bytes:append(range:bytes())
  return ones_complement_sum(bytes)
end

local function add_address(tree, field4, field6, range)
  if range:len() == 4 then
    tree:add(field4, range)
    return tostring(range:ipv4())
  end
  tree:add(field6, range)
  return "[" .. tostring(range:ipv6()) .. "]"
end

local function add_endpoints(tree, range, address_length)
  local address = add_address(tree, f.address4, f.address6, range(0, address_length))
  tree:add(f.port, range(address_length, 2))
  tree:add(f.related_port, range(address_length + 2, 2))
  add_address(tree, f.related4, f.related6, range(address_length + 4, address_length))
  return address .. ":" .. range(address_length, 2):uint()
end

-- Adds one candidate entry and returns its length; nil when the rest cannot be read.
local function add_candidate(tree, range)
  if range:len() < 12 then
    return nil
  end
  local version = range(0, 1):bitfield(0, 4)
  local length = range(0, 4):bitfield(4, 16)
  local type_code = range(0, 4):bitfield(20, 4)
  if length < 12 or length > range:len() then
    return nil
  end
  local entry = range(0, length)
  local item = tree:add(f.candidate, entry)
  for _, field in ipairs({ f.version, f.length, f.type, f.component }) do
    item:add(field, entry(0, 4))
  end
  item:add(f.transport, entry(4, 1))
  item:add(f.priority, entry(8, 4))
  local name = CANDIDATE_TYPES[type_code] or ("type " .. type_code)
  local expected = ({ [4] = 24, [6] = 48 })[version]
  if expected == length then
    name = name .. " " .. add_endpoints(item, entry(12), version == 4 and 4 or 16)
  end
  item:set_text("Candidate: " .. name)
  if type_code == 0 or (expected and expected ~= length) then
    item:add_proto_expert_info(e.malformed)
  end
  return length
end

local function add_candidates(tree, range, count)
  local offset, found = 0, 0
  while offset < range:len() do
    local length = add_candidate(tree, range(offset))
    if not length then
      return false
    end
    offset, found = offset + length, found + 1
  end
  return found == count
end

-- Adds one MIP-ICE option and returns the number of candidates that it claims.
local function add_option(tree, range)
  local item = tree:add(f.option, range)
  if range:len() < 28 then
    item:add_proto_expert_info(e.malformed)
    return 0
  end
  local count = range(3, 1):uint()
  item:add(f.segment, range(2, 1))
  item:add(f.last_segment, range(2, 1))
  item:add(f.count, range(3, 1))
  add_checksum_status(item:add(f.checksum, range(4, 2)), ones_complement_sum(range:bytes()) == 0xffff)
  item:add(f.lite, range(6, 2))
  item:add(f.mismatch, range(6, 2))
  item:add(f.pwd, range(8, 16), ice_chars(range(8, 16):bytes()))
  item:add(f.ufrag, range(24, 3), ice_chars(range(24, 3):bytes()))
  local text_length = range(27, 1):uint()
  local entries_at = 28 + math.ceil(text_length / 4) * 4
  if entries_at > range:len() then
    item:add_proto_expert_info(e.malformed)
    return count
  end
  if text_length > 0 then
    item:add(f.ice_options, range(28, text_length))
  end
  local is_whole = entries_at == range:len() and count == 0
  if entries_at < range:len() then
    is_whole = add_candidates(item, range(entries_at), count)
  end
  if not is_whole then
    item:add_proto_expert_info(e.malformed)
  end
  item:append_text(string.format(", segment %d of %d, %d candidates", range(2, 1):bitfield(0, 4) + 1,
    range(2, 1):bitfield(4, 4) + 1, count))
  return count
end

-- Walks type-length-value from `offset`; returns how many MIP-ICE options and candidates there were.
local function add_options(tree, range, offset)
  local options, candidates = 0, 0
  while offset < range:len() do
    local option_type = range(offset, 1):uint()
    if option_type == 0 then
      offset = offset + 1
    else
      if offset + 2 > range:len() then
        break
      end
      local length = 2 + range(offset + 1, 1):uint()
      if offset + length > range:len() then
        break
      end
      if option_type == mice.prefs.option_number then
        options = options + 1
        candidates = candidates + add_option(tree, range(offset, length))
      end
      offset = offset + length
    end
  end
  return options, candidates
end

local function describe(pinfo, name, candidates)
  pinfo.cols.protocol = "M-ICE"
  pinfo.cols.info = string.format("%s, %d candidates", name, candidates)
end

-- What this dissector knows of one type: where options begin, and how the fixed part is shown.
local function layout_of(mh_type)
  if mh_type == mice.prefs.coti_ice then
    return { name = "CoTI-ICE (offer)", options_at = 16, is_ours = true }
  elseif mh_type == mice.prefs.cot_ice then
    return { name = "CoT-ICE (answer)", options_at = 24, has_token = true, is_ours = true }
  elseif mh_type == BINDING_UPDATE then
    return { name = "Binding Update with MIP-ICE", options_at = 12 }
  elseif mh_type == BINDING_ACKNOWLEDGEMENT then
    return { name = "Binding Acknowledgement with MIP-ICE", options_at = 12 }
  end
  return nil
end

local function add_fixed_part(tree, range, layout)
  if not layout.is_ours then
    return
  end
  if layout.has_token then
    tree:add(f.nonce_index, range(6, 2))
    tree:add(f.token, range(16, 8))
  end
  tree:add(f.cookie, range(8, 8))
end

-- Wireshark's own dissector comes first; what it does not know follows in a tree of its own.
function mice.dissector(tvb, pinfo, tree)
  pcall(wireshark_mobility.call, wireshark_mobility, tvb, pinfo, tree) -- it marks a malformed packet itself, then throws
  if tvb:len() < 8 then
    return tvb:len()
  end
  local length = (tvb(1, 1):uint() + 1) * 8
  if length > tvb:len() then
    return tvb:len()
  end
  local range = tvb(0, length)
  local item = tree:add(mice, range)
  local sum = mobility_sum(range)
  if sum then
    add_checksum_status(item, sum == 0xffff)
  end
  local layout = layout_of(range(2, 1):uint())
  if not layout then
    return tvb:len()
  end
  if length < layout.options_at then
    item:add_proto_expert_info(e.malformed)
    return tvb:len()
  end
  add_fixed_part(item, range, layout)
  local options, candidates = add_options(item, range, layout.options_at)
  if layout.is_ours or options > 0 then
    describe(pinfo, layout.name, candidates)
  end
  if layout.is_ours and options == 0 then
    item:add_proto_expert_info(e.malformed)
  end
  return tvb:len()
end

DissectorTable.get("ip.proto"):set(MOBILITY_HEADER, mice)

-- An IPv6 packet that fills a UDP payload exactly. Nothing else begins with a 6 and has its own length in octets 4 and 5.
tunnel:register_heuristic("udp", function(tvb, pinfo, tree)
  if tvb:len() < 40 or tvb(0, 1):bitfield(0, 4) ~= 6 or 40 + tvb(4, 2):uint() ~= tvb:len() then
    return false
  end
  tree:add(tunnel, tvb())
  wireshark_ipv6:call(tvb, pinfo, tree)
  return true
end)
