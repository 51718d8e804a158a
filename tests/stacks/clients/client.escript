#!/usr/bin/env escript
%% A device with Erlang's ssl. Licensed under Apache-2.0 OR MIT.
-mode(compile).

main([Directory, Port, Low, High]) ->
    {ok, _} = application:ensure_all_started(ssl),
    Read = fun(Name) -> {ok, Bytes} = file:read_file(filename:join(Directory, Name)), Bytes end,
    Raw = Read("key.bin"),
    {Key, How} = case byte_size(Raw) of
        138 -> {{'PrivateKeyInfo', Raw}, "PKCS#8"};
        32 -> {{'ECPrivateKey', <<16#30310201010420:56, Raw/binary, 16#a00a06082a8648ce3d030107:96>>}, "SEC1"}
    end,
    io:format("key: ~s~n", [How]),
    Versions = [version(V) || V <- lists:usort([High, Low])],
    Options = [binary, {active, false}, {verify, verify_peer}, {server_name_indication, "localhost"},
               {versions, lists:reverse(Versions)}, {cacerts, each(Read("roots.der"))},
               {certs_keys, [#{cert => [Read("cert.der") | each(Read("chain.der"))], key => Key}]},
               {log_level, none}],
    {ok, Socket} = ssl:connect("localhost", list_to_integer(Port), Options, 120000),
    Name = Read("client-id"),
    Body = <<4:16, "MQTT", 4, 2, 60:16, (byte_size(Name)):16, Name/binary>>,
    ok = ssl:send(Socket, <<16#10, (byte_size(Body)), Body/binary>>),
    {ok, <<16#20, 2, _, 0>>} = ssl:recv(Socket, 4, 120000),
    ok = ssl:send(Socket, <<16#c0, 0>>),
    {ok, <<16#d0, 0>>} = ssl:recv(Socket, 2, 120000),
    io:format("connected~n").

version("1.2") -> 'tlsv1.2';
version("1.3") -> 'tlsv1.3'.

each(<<>>) -> [];
each(<<16#30, 16#82, Length:16, _/binary>> = Ders) ->
    Whole = Length + 4,
    <<First:Whole/binary, Rest/binary>> = Ders,
    [First | each(Rest)].
