# A pipe has each event at once: the program goes on only when its first lines were seen.
mkfifo trace in
eryx run --stdin --trace trace -c 'x = 1
print(input())' < in &
exec 4> in
exec 5< trace
while read event <&5; do
    case $event in *'"line":2'*) echo "line 2 runs"; break ;; esac
done
echo seen >&4
cat <&5 > /dev/null
wait $!
