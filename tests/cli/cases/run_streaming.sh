# Output comes out while the program runs: the reader's answer is what ends it.
mkfifo answer
eryx run --stdin -c 'print("question"); print("got", input())' < answer | {
    exec 3> answer
    read line
    echo "$line" >&2
    echo reply >&3
    exec 3>&-
    cat
}
