def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(rows; f): reduce rows as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(events):
    foreach events as $event ({x: null, whole: false};
        (if .whole then {x: null, whole: false} else . end)
        | if ($event | length) == 2
          then .whole = ($event[0] | length == 0) | setpath(["x"] + $event[0]; $event[1])
          else .whole = ($event[0] | length == 1) end;
        if .whole then .x else empty end);
def truncate_stream(events): . as $n | null | events | . as $event
    | if ($event[0] | length) > $n then setpath([0]; $event[0][$n:]) else empty end;
def JOIN($idx; f): [.[] | [., $idx[f]]];
def JOIN($idx; rows; f): rows | [., $idx[f]];
def JOIN($idx; rows; f; g): rows | [., $idx[f]] | g;
def toarray: if isarray then . else [.] end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def have_literal_numbers: true;
def @csv: [.[] | if isstring then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then ""
    elif isarray or isobject then error("\(.) cannot be a field of CSV") else tostring end] | join(",");
def @tsv: [.[] | if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r") elif . == null then ""
    elif isarray or isobject then error("\(.) cannot be a field of TSV") else tostring end] | join("\t");
def have_decnum: false;
def @base32: tostring | encode_base32;
def @base32d: tostring | decode_base32;
