% A small library of group theory: each conjecture may use everything that stands before it.
%
%     porism solve examples/groups.p --memory groups.porism

fof(associativity, axiom, ! [X, Y, Z] : f(f(X, Y), Z) = f(X, f(Y, Z))).
fof(left_unit, axiom, ! [X] : f(e, X) = X).
fof(left_inverse, axiom, ! [X] : f(i(X), X) = e).

fof(right_inverse, conjecture, ! [X] : f(X, i(X)) = e).
fof(right_unit, conjecture, ! [X] : f(X, e) = X).
fof(left_cancellation, conjecture, ! [X, Y, Z] : (f(X, Y) = f(X, Z) => Y = Z)).
fof(right_cancellation, conjecture, ! [X, Y, Z] : (f(Y, X) = f(Z, X) => Y = Z)).
fof(double_inverse, conjecture, ! [X] : i(i(X)) = X).
fof(inverse_of_product, conjecture, ! [X, Y] : i(f(X, Y)) = f(i(Y), i(X))).

fof(commutes, definition, ! [X, Y] : (commutes(X, Y) <=> f(X, Y) = f(Y, X))).
fof(commuting_is_symmetric, conjecture, ! [X, Y] : (commutes(X, Y) => commutes(Y, X))).
fof(unit_commutes, conjecture, ! [X] : commutes(X, e)).
fof(inverse_commutes, conjecture, ! [X, Y] : (commutes(X, Y) => commutes(i(X), Y))).
fof(involutions_commute, conjecture, (! [X] : f(X, X) = e) => ! [X, Y] : commutes(X, Y)).
