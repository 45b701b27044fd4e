-- Prints what wrk counted as one line of JSON, and pipelines `RINGWAY_PIPELINE` requests per write.
local depth = tonumber(os.getenv("RINGWAY_PIPELINE") or "1")

if depth > 1 then
  function init(args)
    local one = wrk.format()
    pipelined = string.rep(one, depth)
  end

  function request()
    return pipelined
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"duration_us":%d,"bytes":%d,"errors":%d,"statuses":%d,"timeouts":%d,'
      .. '"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
