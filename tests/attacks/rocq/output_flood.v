(* Prints without an end. *)
(* statement: False *)
(* never: proved *)
(* deadline: 2 *)
do 10000000 idtac "the quick brown fox jumps over the lazy dog".
