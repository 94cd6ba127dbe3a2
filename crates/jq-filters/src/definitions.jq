def join($s): if joins($s) then joined($s)
    else .[] |= tostring | .[:-1][] += $s | reduce .[] as $x (""; . + $x) end;
def del(f): delpaths([path(f)]);
def walk(f): def w: if isobject then map_values(w) elif isarray then map(w) else . end | f; w;
def pick(f): . as $in | reduce path(f) as $p (null; setpath($p; $in | getpath($p)));
def gamma: lgamma;
