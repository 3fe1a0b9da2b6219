eryx run --checkpoint-waiting -c 1; echo $?
eryx run --checkpoint /nonexistent/x --checkpoint-waiting -c 'import asyncio; await asyncio.sleep(0.01); print("end")'; echo $?
eryx resume; echo $?
eryx resume a b; echo $?
eryx resume -c 1; echo $?
eryx resume nothing; echo $?
eryx resume .; echo $?
echo text > text; eryx resume text; echo $?
eryx run --checkpoint a.ckpt --checkpoint-waiting -c 'import asyncio; await asyncio.sleep(1)' 2> /dev/null
head -c 1000 a.ckpt > cut; eryx resume cut; echo $?
(head -c 500 a.ckpt; echo; tail -c +502 a.ckpt) > flipped; eryx resume flipped; echo $?
