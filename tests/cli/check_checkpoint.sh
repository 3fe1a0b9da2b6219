#!/bin/sh
# The example of checkpoints, over four processes: tests/cli/check_checkpoint.sh PROGRAM
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
    "$1" start "$folder/agent.ckpt"
    "$1" answer "$folder/agent.ckpt" "rain"
    "$1" answer "$folder/agent.ckpt" "sunny, 21 degrees"
    "$1" answer "$folder/agent.ckpt" "again" 2>&1 || echo "refused with $?"
} > "$folder/out"
sed -i "s|$folder/||" "$folder/out"
diff -u --label expected --label actual - "$folder/out" <<'END'
asked: ask_person {"question": "How is the weather in Oslo?"}
the agent waits; its process ends here
asked: ask_person {"question": "How is the weather in Oslo?"}
asked: ask_person {"question": "How is the weather in Rome?"}
the agent waits; its process ends here
asked: ask_person {"question": "How is the weather in Rome?"}
Oslo: rain
Rome: sunny, 21 degrees
pack the right clothes - 4 steps
agent.ckpt: the agent is done already
refused with 1
END
echo "1 passed, 0 failed"
