(* Has itself compiled to machine code. *)
(* statement: 2 + 2 = 4 *)
(* trust: 3 *)
native_compute. reflexivity.
