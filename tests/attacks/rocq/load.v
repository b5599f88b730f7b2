(* Reads a file of the host into its messages. *)
(* name: goal *)
(* never: proved *)
Load "/etc/passwd".
