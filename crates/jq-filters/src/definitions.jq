def join($s): if joins($s) then joined($s)
    else reduce .[] as $x (null; (if . == null then "" else . + $s end)
        + ($x | if . == null then "" elif isboolean or isnumber then tojson else . end)) // "" end;
def flatten: [.[] | recurse(arrays[]) | select(isarray | not)];
def flatten($levels): def f($n): if isarray and $n > 0 then .[] | f($n - 1) else . end;
    if $levels < 0 then error("flatten: there are no levels below 0") else [.[] | f($levels)] end;
def del(f): delpaths([path(f)]);
def walk(f): def w: if isobject then map_values(w) elif isarray then map(w) else . end | f; w;
def pick(f): . as $in | reduce path(f) as $p (null; setpath($p; $in | getpath($p)));
def gamma: lgamma;
