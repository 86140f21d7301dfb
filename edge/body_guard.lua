-- Reads a query, and a JSON body (RFC 8259, strictly) against the messages of the contract. The tables MESSAGES, NAMES
-- and ENUMS, and MAX_DEPTH, FAULT and FRAME stand above this text in the program that Envoy runs.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
local OPEN_BRACE, CLOSE_BRACE, CLOSE_BRACKET = 123, 125, 93

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

-- The digits of the lowest and of the highest whole number of a kind. They are compared as text: a number of Lua holds
-- 53 bits.
local WHOLE = {
  int32 = { "2147483648", "2147483647" },
  uint32 = { "0", "4294967295" },
  int64 = { "9223372036854775808", "9223372036854775807" },
  uint64 = { "0", "18446744073709551615" },
}
-- A pattern tries each way to split a run of digits, so what is longer is no number, time or name of an enum.
local WORD_BYTES = 100
local ANY_LENGTH = { text = true, bytes = true, mask = true }
-- What the text of other kinds looks like.
local TEXTS = {
  text = "",
  bytes = "^[%w+/_-]*=*$",
  time = "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$",
  duration = "^-?%d+%.?%d*s$",
  mask = "^[%w_.,* ]*$",
}
local BELONGS = {
  text = "text belongs here",
  bytes = "text in base64 belongs here",
  time = "a time such as 2000-12-31T23:59:59Z belongs here",
  duration = "seconds such as 1.5s belong here",
  mask = "names of fields with commas between them belong here",
  bool = "true or false belongs here",
  number = "a number belongs here",
  int32 = "a whole number of 32 bits belongs here",
  uint32 = "a whole number of 32 bits, not below zero, belongs here",
  int64 = "a whole number of 64 bits belongs here",
  uint64 = "a whole number of 64 bits, not below zero, belongs here",
}

local function is_number(word)
  local number = find(word, "^-?%d+%.?%d*[eE]?[+-]?%d*$") and tonumber(word)
  return number and math.abs(number) < math.huge
end

local function is_whole(word, kind, form)
  local sign, digits = match(word, "^(-?)0*(%d+)$")
  if not digits and form == "bare" and is_number(word) then
    -- 1.0 and 1e3 are whole numbers of JSON too; as text the transcoder takes digits alone.
    local number = tonumber(word)
    if number % 1 == 0 then sign, digits = match(string.format("%.0f", number), "^(-?)(%d+)$") end
  end
  if not digits then return false end
  local most = WHOLE[kind][sign == "-" and 1 or 2]
  return #digits < #most or (#digits == #most and digits <= most)
end

local function is_time(word)
  local year, month, day, hour, minute, second, fraction, offset = match(word, TEXTS.time)
  -- Nanoseconds have nine digits.
  if not year or fraction ~= "" and not find(fraction, "^%.%d+$") or #fraction > 10 then return false end
  local hours = match(offset, "^[+-](%d%d):[0-5]%d$")
  if offset ~= "Z" and not (hours and tonumber(hours) < 24) then return false end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  local days = { 31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  if year == 0 or day == 0 or day > (days[month] or 0) then return false end
  return tonumber(hour) < 24 and tonumber(minute) < 60 and tonumber(second) < 60
end

local function is_enum(values, word, form)
  if form == "bare" then return is_whole(word, "int32", form) end
  if values[word] then return true end
  -- In a query the transcoder takes the numbers that have a name.
  for _, number in pairs(values) do
    if form == "query" and word == tostring(number) then return true end
  end
  return false
end

-- Whether a word may stand for a value of a simple kind. Its form is "text" (between quotes), "bare" or "query".
local function fits(kind, word, form)
  if #word > WORD_BYTES and not ANY_LENGTH[kind] then return false end
  if WHOLE[kind] then return is_whole(word, kind, form) end
  if kind == "bool" then return form ~= "text" and (word == "true" or word == "false") end
  if ENUMS[kind] then return is_enum(ENUMS[kind], word, form) end
  if kind == "number" then
    return is_number(word) or word == "NaN" or find(word, "^-?Infinity$")
  end
  if form == "bare" or not TEXTS[kind] then return false end
  if kind == "time" then return is_time(word) end
  return find(word, TEXTS[kind])
end

-- What opens a value of this kind: "[" a list, "{" a map or a message, nothing a simple one.
local function opening(kind)
  if sub(kind, 1, 5) == "list:" then return "[" end
  if sub(kind, 1, 4) == "map:" or MESSAGES[kind] then return "{" end
end

local function refuse_kind(kind, path)
  local opened = opening(kind)
  if opened then refuse(path, opened == "[" and "a list belongs here" or "an object belongs here") end
  refuse(path, BELONGS[kind] or "a name of the enum " .. match(kind, "[^.]+$") .. ", or its number, belongs here")
end

-- What a member of an object of this kind is: its kind and its name in a path.
local function member(kind, key, escaped, path)
  if kind == "open" then return "open", key end
  if sub(kind, 1, 4) == "map:" then return sub(kind, 5), "*" end
  local message = MESSAGES[kind]
  local name = message[key] and key or NAMES[key]
  if escaped or not message[name] then
    -- A name is told back only if it looks like one.
    local told = find(key, "^[%a_][%w_]*$") and #key <= 64 and key or "?"
    refuse(path == "" and told or path .. "." .. told, "there is no such field")
  end
  return message[name], name
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
    local inner, name = member(kind, sub(text, at + 1, after - 2), escaped, path)
    at = skip(text, after)
    if byte(text, at) ~= COLON then refuse(path, "this is not JSON") end
    local below = kind == "open" and path or (path == "" and name or path .. "." .. name)
    if MESSAGES[kind] then
      if seen[name] then refuse(below, "the field stands here twice") end
      seen[name] = true
    end
    local start = skip(text, at + 1)
    local stop = value(text, start, inner, below, depth, not MESSAGES[kind])
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
  local inner = kind == "open" and kind or sub(kind, 6)
  at = skip(text, at + 1)
  if byte(text, at) == CLOSE_BRACKET then return at + 1 end
  while true do
    at = skip(text, value(text, at, inner, path, depth, true))
    local found = byte(text, at)
    if found == CLOSE_BRACKET then return at + 1 end
    if found ~= COMMA then refuse(path, "this is not JSON") end
    at = skip(text, at + 1)
  end
end

-- A simple value. `null` stands for a field that is not set, so a list or a map holds none.
local function word(text, at, kind, path, inside)
  if byte(text, at) == QUOTE then
    local stop, escaped = string_end(text, at, path)
    -- The transcoder reads what holds an escape.
    local fine = kind == "open" or (not opening(kind) and (escaped or fits(kind, sub(text, at + 1, stop - 2), "text")))
    if not fine then refuse_kind(kind, path) end
    return stop
  end
  local stop = word_end(text, at, path)
  local bare = sub(text, at, stop - 1)
  local fine = kind == "open" or (bare == "null" and not inside) or (not opening(kind) and fits(kind, bare, "bare"))
  if not fine then refuse_kind(kind, path) end
  return stop
end

value = function(text, at, kind, path, depth, inside)
  local opened = match(text, "^[%[{]", at)
  if not opened then return word(text, at, kind, path, inside) end
  if depth >= MAX_DEPTH then refuse(path, "nested more than " .. MAX_DEPTH .. " deep") end
  if kind ~= "open" and opened ~= opening(kind) then refuse_kind(kind, path) end
  return (opened == "{" and object or array)(text, at, kind, path, depth + 1)
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

-- The field that a parameter names: its kind, and its path as the contract spells it.
local function parameter(name, kind)
  local path = ""
  for key in string.gmatch(name .. ".", "([^.]*)%.") do
    if not MESSAGES[kind] then refuse(path, "the field has no fields in a query") end
    local inner, told = member(kind, key, false, path)
    kind, path = inner, path == "" and told or path .. "." .. told
  end
  return kind, path
end

local function read_query(query, taken, message)
  local seen = {}
  for pair in string.gmatch(query, "[^&]+") do
    local name, text = string.match(pair, "^([^=]*)=?(.*)$")
    if not find(name, "^[%a_][%w_.]*$") then refuse("", "a name in the query is not one of a field") end
    if taken and plain(name) == plain(taken) then refuse(taken, "the path says it already") end
    local decoded = string.gsub(text, "%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
    local kind, field = parameter(name, message)
    if not is_text(decoded) then refuse(field, "a value in the query is not text") end
    local single = match(kind, "^list:(.*)$")
    if seen[field] and not single then refuse(field, "the parameter stands here twice") end
    seen[field] = true
    kind = single or kind
    if kind == "open" or opening(kind) then refuse(field, "the field has no place in a query as a whole") end
    if not fits(kind, decoded, "query") then refuse_kind(kind, field) end
  end
end

-- A unary call of gRPC-Web is one frame: a flag, the length in four bytes, and as many bytes. Less of it would leave
-- the server waiting for the rest, for as long as the call may take. A message that says it is compressed, when nobody
-- says how, a server answers as a fault of its own.
local function read_frame(body, encoding)
  if #body < 5 then refuse("", "the message is not whole") end
  local flag, a, b, c, d = byte(body, 1, 5)
  if flag > 1 then refuse("", "the message is not one of data") end
  if flag == 1 and encoding == "identity" then refuse("", "the message is compressed, and nothing says how") end
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
    local encoding = handle:headers():get("grpc-encoding") or "identity"
    local framed = handle:body()
    passes(handle, read_frame, framed and framed:getBytes(0, framed:length()) or "", encoding)
    return
  end
  local query_at = find(path, "?", 1, true) or #path + 1
  local query = sub(path, query_at + 1)
  if not passes(handle, read_query, query, route:get("field"), route:get("query")) then return end
  if kind == "" then return end
  local held = in_path(route, path, query_at)
  -- What was fetched before is gone after this line: it waits for the body.
  local body = handle:body()
  if not body or body:length() == 0 then return end
  bound = held
  passes(handle, read, body:getBytes(0, body:length()), kind)
end
