eryx
