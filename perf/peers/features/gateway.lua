-- API key, throttle, quota, required parameter and schema check in nginx, by lua-nginx-module.
--
-- As quick as we know how to write it:
--   * Keys lie in a shared dictionary, where they can be changed while nginx runs. A Lua table filled in
--     `init_by_lua` is no quicker: the collector walks it in every cycle (measured, 6 interleaved rounds on
--     a busy machine: 65 us per request against 73, quartiles overlap).
--   * Throttle: the generic cell rate algorithm, one number per key in a shared dictionary: when its
--     bucket will be full again. One get and one set, no string is built. As in resty.limit.req two
--     workers may meet between the two; here there is one.
--   * Quota: one `incr` in a dictionary of its own under the same key, which expires with the period.
--   * Variables come through `ngx.var`, which LuaJIT compiles (resty.core), not through
--     `ngx.req.get_headers`, which makes a table of all headers.
--   * The schema is checked by straight code, cheapest test first, without closures or tables made per
--     request; patterns go to PCRE, compiled once and just-in-time ("jo").

local cjson = require "cjson.safe"
local re_find = ngx.re.find

-- What JSON does not know is no JSON here either.
cjson.decode_invalid_numbers(false)

local ngx = ngx
local type = type
local byte = string.byte
-- Value of a key to its id.
local keys = ngx.shared.keys
local limits = ngx.shared.limits
local quotas = ngx.shared.quotas

local _M = {}

-- Seconds per token, and seconds that a full bucket is worth.
local interval, tolerance
local quota_limit
-- Times count from here: seconds since 1970 leave a double too few digits for microseconds.
local origin = ngx.now()

local DAY_S = 86400
local FORBIDDEN = '{"message":"Forbidden"}'
local THROTTLED = '{"message":"Too Many Requests"}'
local EXCEEDED = '{"message":"Limit Exceeded"}'
local NO_SOURCE = '{"message":"Missing required request parameters: [source]"}'
local BAD_BODY = '{"message":"Invalid request body"}'

-- Reads the keys, a line each; their ids are their numbers. Called once, in `init_by_lua`.
function _M.init(options)
    local number = 0
    for value in io.lines(options.keys) do
        number = number + 1
        assert(keys:safe_set(value, string.format("k%07d", number)))
    end
    interval = 1 / options.rate
    tolerance = options.burst * interval
    quota_limit = options.quota
    -- Decoded bodies are most of the garbage and short-lived: fewer cycles of the collector.
    collectgarbage()
    collectgarbage("setpause", 400)
end

local function refuse(status, message)
    ngx.status = status
    ngx.header.content_type = "application/json"
    ngx.print(message)
    return ngx.exit(status)
end

local function within_rate(id)
    local now = ngx.now() - origin
    local full_at = limits:get(id)
    if not full_at or full_at < now then
        full_at = now
    end
    full_at = full_at + interval
    -- A nanosecond for what the sums of fractions lose.
    if full_at - now > tolerance + 1e-9 then
        return false
    end
    limits:set(id, full_at)
    return true
end

local function within_quota(id)
    local used = quotas:incr(id, 1, 0, DAY_S - ngx.time() % DAY_S)
    return used and used <= quota_limit
end

-- Characters, as JSON Schema counts them: bytes that do not continue one.
local function characters(text)
    local count = 0
    for index = 1, #text do
        local at = byte(text, index)
        if at < 128 or at > 191 then
            count = count + 1
        end
    end
    return count
end

-- No character has more than four bytes, so most texts need not be counted.
local function is_text(value, min, max)
    if type(value) ~= "string" then
        return false
    end
    local bytes = #value
    if bytes >= min * 4 and bytes <= max then
        return true
    end
    if bytes < min or bytes > max * 4 then
        return false
    end
    local count = characters(value)
    return count >= min and count <= max
end

local function is_number(value, min, max)
    return type(value) == "number" and value >= min and value <= max
end

local function is_integer(value, min, max)
    return type(value) == "number" and value >= min and value <= max and value % 1 == 0
end

local STATUSES = { new = true, paid = true, packed = true, shipped = true, delivered = true, returned = true }
local CURRENCIES = { EUR = true, USD = true, GBP = true, CHF = true, JPY = true }
local CHANNELS = { web = true, app = true, shop = true, phone = true }

local function matches(value, pattern)
    return type(value) == "string" and re_find(value, pattern, "jo") ~= nil
end

local function is_address(value)
    return type(value) == "table"
        and is_text(value.street, 1, 100)
        and is_text(value.city, 1, 60)
        and is_text(value.postalCode, 3, 10)
        and matches(value.country, "^[A-Z]{2}$")
end

-- cjson makes tables of arrays and of objects; what has no first element is no array of one or more.
local function are_items(value)
    if type(value) ~= "table" then
        return false
    end
    local count = #value
    if count < 1 or count > 50 then
        return false
    end
    for index = 1, count do
        local item = value[index]
        if type(item) ~= "table"
            or not matches(item.sku, "^[A-Z0-9]{4}-[A-Z0-9]{4}$")
            or not (item.name == nil or is_text(item.name, 0, 120))
            or not is_integer(item.quantity, 1, 1000)
            or not is_number(item.unitPrice, 0, math.huge)
        then
            return false
        end
    end
    return true
end

local function are_tags(value)
    if type(value) ~= "table" then
        return false
    end
    local count = #value
    if count < 1 or count > 10 then
        return false
    end
    for index = 1, count do
        if not is_text(value[index], 0, 20) then
            return false
        end
    end
    return true
end

-- definitions/features.yaml, schema Order, rule by rule.
local function is_order(order)
    if type(order) ~= "table" then
        return false
    end
    local amount, discount, note, tags = order.amount, order.discountPercent, order.note, order.tags
    local express, channel = order.express, order.channel
    -- `nil` is no key of a table that may be asked for, so `or 0` where a property is required.
    return is_number(amount, 0, 1000000) and amount > 0
        and is_integer(order.quantity, 1, 1000)
        and (discount == nil or is_integer(discount, 0, 100))
        and (express == nil or type(express) == "boolean")
        and STATUSES[order.status or 0] ~= nil
        and CURRENCIES[order.currency or 0] ~= nil
        and (channel == nil or CHANNELS[channel] ~= nil)
        and is_text(order.customerId, 8, 36)
        and is_text(order.placedAt, 20, 30)
        and (note == nil or is_text(note, 0, 500))
        and is_text(order.email, 0, 254)
        and matches(order.email, "^[^@ ]+@[^@ ]+$")
        and matches(order.orderId, "^[A-Z]{3}-[0-9]{8}$")
        and is_address(order.shippingAddress)
        and are_items(order.items)
        and (tags == nil or are_tags(tags))
end

-- The body; one that was too large for nginx's buffer is in a file.
local function body()
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    if text then
        return text
    end
    local file = ngx.req.get_body_file()
    if not file then
        return nil
    end
    local handle = assert(io.open(file, "rb"))
    text = handle:read("*a")
    handle:close()
    return text
end

-- Called by `access_by_lua`: returns for a request that may go on.
function _M.access()
    local var = ngx.var
    local value = var.http_x_api_key
    local id = value and keys:get(value)
    if not id then
        return refuse(403, FORBIDDEN)
    end
    var.api_client = id
    if not within_rate(id) then
        return refuse(429, THROTTLED)
    end
    if not within_quota(id) then
        return refuse(429, EXCEEDED)
    end
    if not var.arg_source then
        return refuse(400, NO_SOURCE)
    end
    local text = body()
    if not text or not is_order(cjson.decode(text)) then
        return refuse(400, BAD_BODY)
    end
end

return _M
