#!/usr/bin/env bash
# Runs migrate with the inputs of the action, which come as variables: no input is part of a command line that a shell reads.
set -uo pipefail

case $COMMAND in
  plan | drift) words=("$COMMAND") ;;
  import) words=(import --yes) ;;
  *) echo "::error::command must be plan, import or drift, not \"$COMMAND\""; exit 64 ;;
esac
report=${RUNNER_TEMP:?}/migrate-$COMMAND.md
rm -f "$report"
words+=(--config "$CONFIG" --tenant "$TENANT" --report "$report")
if [ "$COMMAND" = import ] && [ -n "$ALLOW" ]; then words+=(--allow "$ALLOW"); fi
while IFS= read -r word; do
  [ -z "$word" ] || words+=("$word")
done <<<"$ARGUMENTS"

migrate "${words[@]}"
code=$?
echo "exit=$code" >>"$GITHUB_OUTPUT"
[ ! -s "$report" ] || echo "report=$report" >>"$GITHUB_OUTPUT"
exit "$code"
