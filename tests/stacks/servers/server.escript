#!/usr/bin/env escript
%% A broker's front door with Erlang's ssl: PORT CERT KEY CAS, all PEM. Licensed under
%% Apache-2.0 OR MIT.
-mode(compile).

main([Port, Cert, Key, Cas]) ->
    {ok, _} = application:ensure_all_started(ssl),
    Options = [binary, {active, false}, {reuseaddr, true}, {ip, {127, 0, 0, 1}}, {certfile, Cert}, {keyfile, Key},
               {cacertfile, Cas}, {verify, verify_peer}, {fail_if_no_peer_cert, true},
               {versions, ['tlsv1.3', 'tlsv1.2']}, {log_level, none}],
    {ok, Listener} = ssl:listen(list_to_integer(Port), Options),
    io:format("listening~n"),
    accept(Listener).

accept(Listener) ->
    {ok, Plain} = ssl:transport_accept(Listener),
    Server = spawn(fun() -> receive go -> serve(Plain) end end),
    ok = ssl:controlling_process(Plain, Server),
    Server ! go,
    accept(Listener).

serve(Plain) ->
    case ssl:handshake(Plain, 120000) of
        {ok, Socket} -> packets(Socket);
        {error, Why} -> io:format("refused: ~p~n", [Why])
    end.

packets(Socket) ->
    case ssl:recv(Socket, 2, 120000) of
        {ok, <<Kind, Length>>} ->
            Length > 0 andalso ssl:recv(Socket, Length, 120000),
            answer(Socket, Kind),
            packets(Socket);
        _ -> ssl:close(Socket)
    end.

answer(Socket, 16#10) -> ssl:send(Socket, <<16#20, 2, 0, 0>>);
answer(Socket, 16#c0) -> ssl:send(Socket, <<16#d0, 0>>);
answer(_, _) -> ok.
