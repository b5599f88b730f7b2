(* Claims that memory ran out, so that a process is thrown away; it costs itself. *)
(* statement: False *)
(* never: proved *)
fail 1000 "Out of memory".
