-- Counts answers by status and prints what wrk counts as one line of JSON.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    statuses = ""
    by_status = {}
end

function response(status, headers, body)
    by_status[status] = (by_status[status] or 0) + 1
    -- Only strings and numbers can be read from another thread.
    local parts = {}
    for key, count in pairs(by_status) do
        table.insert(parts, key .. "=" .. count)
    end
    statuses = table.concat(parts, ",")
end

function done(summary, latency, requests)
    local sums = {}
    for _, thread in ipairs(threads) do
        for status, count in string.gmatch(thread:get("statuses"), "(%d+)=(%d+)") do
            sums[status] = (sums[status] or 0) + tonumber(count)
        end
    end
    local parts = {}
    for status, count in pairs(sums) do
        table.insert(parts, string.format('"%s":%d', status, count))
    end
    local errors = summary.errors
    print(string.format(
        'REPORT {"requests":%d,"micros":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"statuses":{%s}}',
        summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.timeout,
        table.concat(parts, ",")))
end
