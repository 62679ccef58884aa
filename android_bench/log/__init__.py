"""What benchmark_model prints: lines, latencies, operator profiles, delegates and failures."""
