for m in 268435456 256M 256MiB 0.25G 262144K 4G; do eryx run --memory $m -c 'print(1, end="")' || exit 1; done
