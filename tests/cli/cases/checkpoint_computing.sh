# What computes at its time limit cannot be written; nothing is left behind.
eryx run --checkpoint job.ckpt --timeout 100ms -c 'while True: pass'
echo "stopped with $?"
eryx run --checkpoint job.ckpt --timeout 100ms -c 'import time; time.sleep(60)'
echo "stopped with $?"
eryx run --json --checkpoint job.ckpt --timeout 100ms -c 'while True: pass' | grep -o '"message.*value": [0-9]*'
ls
