# The package has no annotations: what zoo/edge uses of it is declared here.
