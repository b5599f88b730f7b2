% Without inverses a left unit need not be a right unit: this does not follow, and there is a counter-model.
%
%     porism solve examples/monoid.p

fof(associativity, axiom, ! [X, Y, Z] : f(f(X, Y), Z) = f(X, f(Y, Z))).
fof(left_unit, axiom, ! [X] : f(e, X) = X).

fof(right_unit, conjecture, ! [X] : f(X, e) = X).
