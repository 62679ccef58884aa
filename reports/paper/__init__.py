"""The paper's tables and figure points as CSV; read them with ``ghostdeploy.paper_data``."""
