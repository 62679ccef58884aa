"""The report of a comparison of latencies: first what it says, then ``formats`` that write it."""
