(* Takes all memory that there is. *)
(* statement: False *)
(* never: proved *)
(* deadline: 20 *)
let rec grow x := grow (x, x, x, x, x, x, x, x) in grow tt.
