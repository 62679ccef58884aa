"""One file a figure; ``ghostdeploy.report.plots`` lists them."""
