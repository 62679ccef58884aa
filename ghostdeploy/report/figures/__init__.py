"""One file a figure; ``ghostdeploy.report.latency.formats.plots`` lists them."""
