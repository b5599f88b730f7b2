(* A text in which nobody says what is to be proved, and which assumes something. *)
(* never: proved *)
Module Type T. Parameter magic : False. End T.
Declare Module M : T.
