(* Prints much, and proves what it is to prove. *)
(* statement: True *)
(* trust: 3 *)
do 3000 idtac "the quick brown fox jumps over the lazy dog". exact I.
