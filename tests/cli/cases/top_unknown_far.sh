eryx frobnicate
