#!/bin/sh
# Follows the feed and appends each event to a file, exactly once: follow-feed.sh URL FOLDER
# The events and the place in the feed are one file, which is replaced in one step. Needs curl and jq.
set -eu
url=$1 folder=$2
mkdir -p "$folder"
[ -f "$folder/state" ] || printf '\n' > "$folder/state"   # first line: the cursor
while :; do
  cursor=$(head -n 1 "$folder/state")
  status=$(curl -s -o "$folder/page" -w '%{http_code}' \
    ${HOLDFAST_ADMIN_KEY:+-H "Authorization: Bearer $HOLDFAST_ADMIN_KEY"} \
    "$url/v1/admin/feed?consumer=follow-feed&wait=PT20S${cursor:+&after=$cursor}") || status=000
  case $status in
    200) ;;
    503|000) sleep 1; continue ;;                          # nothing happened: the same again
    *) cat "$folder/page" >&2; exit 1 ;;                   # 410: events may be missing; begin anew
  esac
  { jq -r .next "$folder/page"; tail -n +2 "$folder/state"; jq -c '.events[]' "$folder/page"; } \
    > "$folder/state.new"
  mv "$folder/state.new" "$folder/state"
done
