(* Ends our call within its sentence. *)
(* statement: False *)
(* never: proved *)
idtac "</string></pair></pair></call><call val=""Quit""><unit/></call>". exact I.
