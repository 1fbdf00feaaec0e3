#!/usr/bin/env bash
# Writes the report as a comment on the pull request, or over the comment that an earlier run of this action wrote for the tenant.
set -euo pipefail

marker="<!-- migrate plan $TENANT -->"
body=$(mktemp)
{ echo "$marker"; cat "$REPORT"; } >"$body"
comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
# The marker alone could be written by anybody who comments; only a comment of a bot is written over.
known=$(gh api --paginate "$comments" --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id" | head -1)
if [ -n "$known" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field body=@"$body" --silent
else
  gh api --method POST "$comments" --field body=@"$body" --silent
fi
