-- Reads a query, and a JSON body (RFC 8259, strictly) against the messages of the contract. The table MESSAGES and
-- MAX_DEPTH, FAULT and FRAME stand above this text in the program that Envoy runs.

local byte, find, sub = string.byte, string.find, string.sub

local QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
local OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET = 123, 125, 91, 93

-- Faults are thrown as tables, so that an error of the program itself is told apart.
local function refuse(path, sentence)
  error({ path = path, sentence = sentence }, 0)
end

local function skip(text, at)
  return find(text, "[^ \t\r\n]", at) or #text + 1
end

-- The place after a string that begins at `at`, and whether it holds an escape.
local function string_end(text, at, path)
  local place, escaped = at + 1, false
  while true do
    local stop = find(text, '[%z\1-\31"\\]', place)
    if not stop then refuse(path, "a string has no end") end
    local found = byte(text, stop)
    if found == QUOTE then return stop + 1, escaped end
    if found ~= BACKSLASH then refuse(path, "a string holds a control character") end
    escaped = true
    if find(text, '^["\\/bfnrt]', stop + 1) then
      place = stop + 2
    elseif find(text, "^u%x%x%x%x", stop + 1) then
      place = stop + 6
    else
      refuse(path, "a string holds an unknown escape")
    end
  end
end

local function number_end(text, at, path)
  local _, stop = find(text, "^-?%d+", at)
  if not stop or find(text, "^-?0%d", at) then refuse(path, "this is not JSON") end
  if byte(text, stop + 1) == 46 then
    local _, fraction = find(text, "^%.%d+", stop + 1)
    if not fraction then refuse(path, "this is not JSON") end
    stop = fraction
  end
  if find(text, "^[eE]", stop + 1) then
    local _, exponent = find(text, "^[eE][+-]?%d+", stop + 1)
    if not exponent then refuse(path, "this is not JSON") end
    stop = exponent
  end
  return stop + 1
end

local function word_end(text, at, path)
  for _, word in ipairs({ "true", "false", "null" }) do
    if sub(text, at, at + #word - 1) == word then return at + #word end
  end
  return number_end(text, at, path)
end

-- What a member of an object of this kind is: its kind and its name in a path.
local function member(kind, key, escaped, path, seen)
  if kind == "open" then return "open", key end
  if sub(kind, 1, 4) == "map:" then return sub(kind, 5), "*" end
  local message = MESSAGES[kind]
  if not message then refuse(path, "an object where a simple value belongs") end
  local field = not escaped and message[key]
  if not field then
    -- A name is told back only if it looks like one.
    local told = find(key, "^[%a_][%w_]*$") and #key <= 64 and key or "?"
    refuse(path == "" and told or path .. "." .. told, "there is no such field")
  end
  local whole = path == "" and field.name or path .. "." .. field.name
  if seen[field.name] then refuse(whole, "the field stands here twice") end
  seen[field.name] = true
  return field.kind, field.name
end

local value
-- The field of the body that stands in the path too, and its value as JSON.
local bound = {}

local function object(text, at, kind, path, depth)
  local seen = {}
  at = skip(text, at + 1)
  if byte(text, at) == CLOSE_BRACE then return at + 1 end
  while true do
    if byte(text, at) ~= QUOTE then refuse(path, "this is not JSON") end
    local after, escaped = string_end(text, at, path)
    local inner, name = member(kind, sub(text, at + 1, after - 2), escaped, path, seen)
    at = skip(text, after)
    if byte(text, at) ~= COLON then refuse(path, "this is not JSON") end
    local below = kind == "open" and path or (path == "" and name or path .. "." .. name)
    local start = skip(text, at + 1)
    local stop = value(text, start, inner, below, depth)
    if depth == 1 and name == bound.name and sub(text, start, stop - 1) ~= bound.json then
      refuse(below, "the path says otherwise")
    end
    at = skip(text, stop)
    local found = byte(text, at)
    if found == CLOSE_BRACE then return at + 1 end
    if found ~= COMMA then refuse(path, "this is not JSON") end
    at = skip(text, at + 1)
  end
end

local function array(text, at, kind, path, depth)
  at = skip(text, at + 1)
  if byte(text, at) == CLOSE_BRACKET then return at + 1 end
  while true do
    at = skip(text, value(text, at, kind, path, depth))
    local found = byte(text, at)
    if found == CLOSE_BRACKET then return at + 1 end
    if found ~= COMMA then refuse(path, "this is not JSON") end
    at = skip(text, at + 1)
  end
end

value = function(text, at, kind, path, depth)
  local found = byte(text, at)
  if found == QUOTE then
    return (string_end(text, at, path))
  elseif found == OPEN_BRACE or found == OPEN_BRACKET then
    if depth >= MAX_DEPTH then refuse(path, "nested more than " .. MAX_DEPTH .. " deep") end
    local read = found == OPEN_BRACE and object or array
    return read(text, at, kind, path, depth + 1)
  end
  return word_end(text, at, path)
end

local function read(text, kind)
  local at = skip(text, 1)
  if byte(text, at) ~= OPEN_BRACE then refuse("", "the body is not a JSON object") end
  at = skip(text, value(text, at, kind, "", 0))
  if at <= #text then refuse("", "something follows the JSON object") end
end

-- The field that the path holds and the body may hold too, with its value as JSON writes it.
local function in_path(route, path, query_at)
  local name = route:get("bound")
  if not name then return {} end
  local value_end = query_at - 1 - #route:get("after")
  return { name = name, json = '"' .. sub(path, #route:get("before") + 1, value_end) .. '"' }
end

-- Lengths of the sequences of UTF-8 (RFC 3629) as patterns; what none of them matches is not UTF-8.
local SEQUENCES = {
  "^[\1-\127]+", "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function is_text(text)
  local at = 1
  while at <= #text do
    local stop
    for _, sequence in ipairs(SEQUENCES) do
      _, stop = find(text, sequence, at)
      if stop then break end
    end
    if not stop then return false end
    at = stop + 1
  end
  return true
end

-- `birthName` and `birth_name` are one field.
local function plain(name)
  return (string.gsub(name, "_", "")):lower()
end

local function read_query(query, taken)
  for pair in string.gmatch(query, "[^&]+") do
    local name, text = string.match(pair, "^([^=]*)=?(.*)$")
    if not find(name, "^[%a_][%w_.]*$") then refuse("", "a name in the query is not one of a field") end
    if taken and plain(name) == plain(taken) then refuse(taken, "the path says it already") end
    local decoded = string.gsub(text, "%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
    if not is_text(decoded) then refuse(name, "a value in the query is not text") end
  end
end

-- A unary call of gRPC-Web is one frame: a flag, the length in four bytes, and as many bytes. Less of it would leave
-- the server waiting for the rest, for as long as the call may take.
local function read_frame(body)
  if #body < 5 then refuse("", "the message is not whole") end
  local a, b, c, d = byte(body, 2, 5)
  local length = ((a * 256 + b) * 256 + c) * 256 + d
  if #body ~= 5 + length then refuse("", "the message is not whole") end
end

-- Runs one reader. True if it found nothing; otherwise the request has been answered.
local function passes(handle, reader, ...)
  local fine, fault = pcall(reader, ...)
  if fine then return true end
  -- Envoy lets a request through whose script has failed, so no error may leave this function.
  if type(fault) ~= "table" then
    handle:logErr("guard: " .. tostring(fault))
    fault = { path = "", sentence = "this cannot be read" }
  end
  local told = handle:streamInfo():dynamicMetadata()
  told:set(FAULT, "field", fault.path)
  told:set(FAULT, "fault", fault.sentence)
  handle:respond({ [":status"] = "400" }, fault.sentence)
  return false
end

function envoy_on_request(handle)
  local route, path = handle:metadata(), handle:headers():get(":path")
  local kind = route:get("body")
  if kind == FRAME then
    local framed = handle:body()
    passes(handle, read_frame, framed and framed:getBytes(0, framed:length()) or "")
    return
  end
  local query_at = find(path, "?", 1, true) or #path + 1
  if query_at < #path and not passes(handle, read_query, sub(path, query_at + 1), route:get("field")) then
    return
  end
  if kind == "" then return end
  local held = in_path(route, path, query_at)
  -- What was fetched before is gone after this line: it waits for the body.
  local body = handle:body()
  if not body or body:length() == 0 then return end
  bound = held
  passes(handle, read, body:getBytes(0, body:length()), kind)
end
