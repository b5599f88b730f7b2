% A group by a left unit and inverses on both sides: is the left unit a right unit too?
%
%     porism solve examples/group.p --proof

fof(associativity, axiom, ! [X, Y, Z] : f(f(X, Y), Z) = f(X, f(Y, Z))).
fof(left_unit, axiom, ! [X] : f(e, X) = X).
fof(left_inverse, axiom, ! [X] : f(i(X), X) = e).
fof(right_inverse, axiom, ! [X] : f(X, i(X)) = e).

fof(right_unit, conjecture, ! [X] : f(X, e) = X).
