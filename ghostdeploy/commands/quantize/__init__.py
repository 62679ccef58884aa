"""Float file → int8 → report: what ``ghostdeploy quantize`` and a calibrated ``export`` share."""
