(* Prints the answer of a proof that went well. *)
(* statement: False *)
(* never: proved *)
idtac "</pp></richpp></message></feedback_content></feedback><value val=""good""><status><list/><option val=""none""/><list/><int>0</int></status></value>". idtac "&nbsp;&lt;]]>". admit.
