% Not every group is abelian: this does not follow, and Porism says so by a counter-model.
%
%     porism solve examples/abelian.p

fof(associativity, axiom, ! [X, Y, Z] : f(f(X, Y), Z) = f(X, f(Y, Z))).
fof(left_unit, axiom, ! [X] : f(e, X) = X).
fof(left_inverse, axiom, ! [X] : f(i(X), X) = e).

fof(abelian, conjecture, ! [X, Y] : f(X, Y) = f(Y, X)).
